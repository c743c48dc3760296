import ArgumentParser

@main struct Reverie: ParsableCommand {
  func run() {}
}

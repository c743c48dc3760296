import ArgumentParser

@main struct Reverie: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Text to image.", subcommands: [Train.self])
}

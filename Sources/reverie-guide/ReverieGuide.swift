import ArgumentParser
import Foundation

/// Draws the figures of Docs/guide, each from what the networks of the pack do: the library in use, chapter by
/// chapter.
@main
struct ReverieGuide: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reverie-guide", abstract: "Draws the figures of Docs/guide.")

  @Argument(help: "The folder that they are written to.")
  var folder: String

  @Argument(help: "Names of figures, or how they begin; all if left out.")
  var names: [String] = []

  @Flag(
    help: "Paints in a few steps: the same figures of the same sizes, in less than two minutes.")
  var small = false

  func run() async throws {
    let workshop = try Workshop(isSmall: small)
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for figure in workshop.figures where isWanted(figure.name) {
      let path = try await figure.draw().write(to: folder, as: figure.name)
      // Said at once, for the next one takes its time.
      FileHandle.standardOutput.write(Data("\(path)\n".utf8))
    }
  }

  private func isWanted(_ name: String) -> Bool {
    names.isEmpty || names.contains { name.hasPrefix($0) }
  }
}

extension Workshop {
  /// All figures, in the order of the chapters.
  var figures: [Figure] {
    CLIPFigures(workshop: self).all + VQGANFigures(workshop: self).all
      + ClimbFigures(workshop: self).all + PromptFigures(workshop: self).all
      + DrawerFigures(workshop: self).all + DiffusionFigures(workshop: self).all
      + TokenFigures(workshop: self).all + UnCLIPFigures(workshop: self).all
      + AttentionFigures(workshop: self).all + [TreeFigure.figure]
  }
}

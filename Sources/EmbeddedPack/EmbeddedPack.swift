import Foundation

/// The model pack that ships with Reverie.
public enum EmbeddedPack {
  /// The folder with `pack.json` and the files that it lists.
  ///
  /// The folder may be missing; whoever opens the pack says so.
  public static var folder: URL { resource("Pack") }

  /// The folder of the judges: one that names what pictures show, and a CLIP that measures guided
  /// pictures. No part of the pack: they must not take part in painting.
  public static var judges: URL { resource("Judge") }

  private static func resource(_ name: String) -> URL {
    besideProgram("Reverie_EmbeddedPack.resources/\(name)")
      ?? Bundle.module.bundleURL.appending(path: name, directoryHint: .isDirectory)
  }

  /// A folder of a target's resources beside the program, so that a built program may be moved
  /// together with them; nil where it was run from elsewhere, and the build's own place counts.
  package static func besideProgram(_ path: String) -> URL? {
    let program = URL(filePath: CommandLine.arguments.first ?? "").resolvingSymlinksInPath()
    let besides = [
      Bundle.main.bundleURL, program.deletingLastPathComponent(),
    ].map { $0.appending(path: path, directoryHint: .isDirectory) }
    return besides.first { FileManager.default.fileExists(atPath: $0.path) }
  }
}

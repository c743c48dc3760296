import Foundation

/// The model pack that ships with Reverie.
public enum EmbeddedPack {
  /// The folder with `pack.json` and the files that it lists.
  ///
  /// Looked for beside the program first, so that a built program may be moved together with its
  /// resources, then where the build left it. The folder may be missing; whoever opens the pack says
  /// so.
  public static var folder: URL {
    let bundle = "Reverie_EmbeddedPack.resources/Pack"
    let program = URL(filePath: CommandLine.arguments.first ?? "").resolvingSymlinksInPath()
    let besides = [
      Bundle.main.bundleURL, program.deletingLastPathComponent(),
    ].map { $0.appending(path: bundle, directoryHint: .isDirectory) }
    return besides.first { FileManager.default.fileExists(atPath: $0.path) }
      ?? Bundle.module.bundleURL.appending(path: "Pack", directoryHint: .isDirectory)
  }
}

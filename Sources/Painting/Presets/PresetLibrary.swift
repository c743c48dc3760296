import EmbeddedPack
import Foundation
import Library

/// Where presets lie: folders of YAML files, of which earlier ones win.
public struct PresetLibrary: Sendable {
  /// The folders.
  public let folders: [URL]

  /// What presets may name.
  public let registry: Registry

  /// A library of these folders.
  public init(folders: [URL], registry: Registry = .builtIn) {
    (self.folders, self.registry) = (folders, registry)
  }

  /// The user's presets, and then those that ship.
  public static func standard(
    _ environment: [String: String] = ProcessInfo.processInfo.environment,
    registry: Registry = .builtIn
  ) -> PresetLibrary {
    PresetLibrary(folders: [user(environment), shipped], registry: registry)
  }

  /// The user's own: `REVERIE_PRESETS`, else `$XDG_CONFIG_HOME/reverie/presets`, else
  /// `~/.config/reverie/presets`.
  public static func user(_ environment: [String: String]) -> URL {
    if let path = environment["REVERIE_PRESETS"], !path.isEmpty {
      return URL(filePath: path, directoryHint: .isDirectory)
    }
    return XDG.configuration(environment).appending(
      path: "reverie/presets", directoryHint: .isDirectory)
  }

  /// Those that come with the program.
  public static var shipped: URL {
    EmbeddedPack.besideProgram("Reverie_Painting.resources/Shipped")
      ?? Bundle.module.bundleURL.appending(path: "Shipped", directoryHint: .isDirectory)
  }

  /// The file of each preset, by name.
  public var files: [String: URL] {
    folders.reversed().reduce(into: [:]) { files, folder in
      let found = try? FileManager.default.contentsOfDirectory(
        at: folder, includingPropertiesForKeys: nil)
      for file in found ?? [] where ["yaml", "yml"].contains(file.pathExtension) {
        files[file.deletingPathExtension().lastPathComponent] = file
      }
    }
  }

  /// A preset by name.
  /// - Throws: `PresetError`.
  public func preset(_ name: String) throws -> Preset {
    try Preset(contentsOf: file(name), registry: registry)
  }

  /// The file of a preset.
  /// - Throws: `PresetError.unknown`.
  public func file(_ name: String) throws -> URL {
    let files = files
    guard let file = files[name] else {
      throw PresetError.unknown(name, nearest: nearestName(to: name, among: files.keys.sorted()))
    }
    return file
  }

  /// Presets by names, each an item or several by commas.
  /// - Throws: `PresetError`.
  public func presets(_ names: [String]) throws -> [Preset] {
    try names.flatMap { $0.split(separator: ",") }.map { try preset(String($0).trimmed) }
  }
}

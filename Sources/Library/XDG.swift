import Foundation

/// Where a user's files belong, by the XDG Base Directory Specification 0.8: relative values do not
/// count.
public enum XDG {
  /// Data that is the user's own.
  public static func data(_ environment: [String: String]) -> URL {
    folder("XDG_DATA_HOME", ".local/share", environment)
  }

  /// What the user has chosen.
  public static func configuration(_ environment: [String: String]) -> URL {
    folder("XDG_CONFIG_HOME", ".config", environment)
  }

  /// What can be made or fetched again.
  public static func cache(_ environment: [String: String]) -> URL {
    folder("XDG_CACHE_HOME", ".cache", environment)
  }

  private static func folder(
    _ variable: String, _ standard: String, _ environment: [String: String]
  ) -> URL {
    if let path = environment[variable], path.hasPrefix("/") { return URL(filePath: path) }
    let home = environment["HOME"].map { URL(filePath: $0) }
    return (home ?? FileManager.default.homeDirectoryForCurrentUser).appending(path: standard)
  }
}

import Foundation
import Torch
import Weights

/// Embeddings kept on disk, each under a name derived from what was embedded and by which network, so
/// that a large text tower is not run again for the same text.
///
/// Losing it costs time only. What cannot be read or written is embedded anew.
public struct EmbeddingCache: Sendable {
  /// The folder.
  public let folder: URL

  /// - Parameter folder: need not exist yet.
  public init(folder: URL) { self.folder = folder }

  /// The cache of this user: `REVERIE_CACHE`, else `$XDG_CACHE_HOME/reverie`, else `~/.cache/reverie`.
  public static func standard(
    _ environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> EmbeddingCache {
    func folder(_ name: String) -> URL? {
      environment[name].flatMap { $0.isEmpty ? nil : URL(filePath: $0) }
    }
    let home =
      folder("XDG_CACHE_HOME")
      ?? FileManager.default.homeDirectoryForCurrentUser.appending(path: ".cache")
    return EmbeddingCache(
      folder: (folder("REVERIE_CACHE") ?? home.appending(path: "reverie")).appending(
        path: "embeddings"))
  }

  /// What is kept under `key`, or what `make` gives.
  func embedding(_ key: String, _ make: () throws -> Tensor) rethrows -> Tensor {
    let url = folder.appending(path: Checksum.sha256(of: key) + ".safetensors")
    if FileManager.default.fileExists(atPath: url.path),
      let file = try? SafeTensors(contentsOf: url),
      file.metadata["key"] == key, let tensor = try? file.tensor("embedding")
    {
      return tensor.cloned()
    }
    let made = try make()
    try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try? SafeTensors.write(
      ["embedding": made.detached().to(.cpu).contiguous()], metadata: ["key": key], to: url)
    return made
  }
}

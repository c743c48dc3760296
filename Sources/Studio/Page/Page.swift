import EmbeddedPack
import Foundation
import HTTPTypes
import Hummingbird
import Weights

/// The files of the page, held in memory: what is not among them cannot be asked for.
struct Page: Sendable {
  /// A file.
  struct Asset: Sendable {
    let data: Data
    let type: String
    let etag: String

    init(_ data: Data, type: String) {
      (self.data, self.type) = (data, type)
      etag = String(Checksum.sha256(of: data).prefix(16))
    }
  }

  private let assets: [String: Asset]

  /// - Parameter folder: the page's files; those that ship if left out.
  init(folder: URL = Page.folder) {
    var assets: [String: Asset] = [:]
    let found = FileManager.default.enumerator(atPath: folder.path)
    while let name = found?.nextObject() as? String {
      guard let type = Self.types[(name as NSString).pathExtension],
        let data = try? Data(contentsOf: folder.appending(path: name))
      else { continue }
      assets["/" + name] = Asset(data, type: type)
    }
    assets["/"] = assets["/index.html"]
    self.assets = assets
  }

  private static var folder: URL {
    EmbeddedPack.besideProgram("Reverie_Studio.resources/Assets")
      ?? Bundle.module.bundleURL.appending(path: "Assets", directoryHint: .isDirectory)
  }

  private static let types = [
    "html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml", "png": "image/png",
    "webp": "image/webp", "webmanifest": "application/manifest+json",
  ]

  /// Bytes of all files.
  var size: Int { assets.filter { $0.key != "/" }.values.reduce(0) { $0 + $1.data.count } }

  /// Paths of all files.
  var paths: [String] { assets.keys.sorted() }

  /// Answers with each file under its path.
  func add(to router: Router<StudioContext>) {
    for (path, asset) in assets {
      router.get(RouterPath(path)) { request, _ in
        // Asked for anew each time, and answered with 'not modified' while it is.
        Response.bytes(
          asset.data, type: asset.type, etag: asset.etag, request: request, cache: "no-cache")
      }
    }
  }
}

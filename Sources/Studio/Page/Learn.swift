import EmbeddedPack
import Foundation
import Hummingbird
import HummingbirdCore
import Weights

/// The guide, Docs/guide, as pages of the studio: `/learn`, `/learn/climb` and their pictures.
struct Learn: Sendable {
  private let pages: [String: Page.Asset]

  /// - Parameter folder: the guide; that which ships if left out.
  init(folder: URL = Learn.folder) {
    var pages: [String: Page.Asset] = [:]
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    for name in names.sorted() {
      guard let data = try? Data(contentsOf: folder.appending(path: name)) else { continue }
      let ending = (name as NSString).pathExtension
      if ending == "md" {
        let page = Self.page(String(decoding: data, as: UTF8.self))
        pages[Self.address(name) ?? ""] = .init(Data(page.utf8), type: "text/html; charset=utf-8")
      } else if let type = ["svg": "image/svg+xml", "webp": "image/webp"][ending] {
        pages["/learn/\(name)"] = .init(data, type: type)
      }
    }
    self.pages = pages
  }

  private static var folder: URL {
    EmbeddedPack.besideProgram("Reverie_Studio.resources/guide")
      ?? Bundle.module.bundleURL.appending(path: "guide", directoryHint: .isDirectory)
  }

  /// Paths of all pages and pictures.
  var paths: [String] { pages.keys.sorted() }

  /// Answers with each under its path.
  func add(to router: Router<StudioContext>) {
    for (path, page) in pages {
      router.get(RouterPath(path)) { request, _ in
        Response.bytes(
          page.data, type: page.type, etag: page.etag, request: request, cache: "no-cache")
      }
    }
  }

  /// Where a file of the guide is found; nil for what is not of the guide.
  static func address(_ name: String) -> String? {
    guard !name.contains("/") else { return nil }
    if name == "README.md" { return "/learn" }
    return "/learn/" + (name.hasSuffix(".md") ? String(name.dropLast(3)) : name)
  }

  private static func page(_ markdown: String) -> String {
    let title = markdown.prefix { $0 != "\n" }.trimmingPrefix("# ")
    return """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <title>\(GuideMarkdown.escaped(String(title))) · Reverie</title>
      <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
      <meta name="color-scheme" content="light dark">
      <link rel="icon" href="/icon.svg" type="image/svg+xml">
      <link rel="stylesheet" href="/style/base.css">
      <link rel="stylesheet" href="/style/learn.css">
      </head>
      <body>
      <a class="skip" href="#main">To the content</a>
      <header>
        <a class="brand" href="/" aria-label="Reverie"><img src="/icon.svg" alt="" width="28" height="28"> <span>Reverie</span></a>
        <nav aria-label="Views">
          <a href="/#/paint">Paint</a>
          <a href="/#/gallery">Gallery</a>
          <a href="/#/models">Models</a>
          <a href="/#/workers">Workers</a>
          <a href="/learn" aria-current="page">Learn</a>
        </nav>
      </header>
      <main id="main" class="learn" tabindex="-1">
      \(GuideMarkdown(address: Self.address).html(markdown))</main>
      </body>
      </html>

      """
  }
}

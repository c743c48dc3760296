import Foundation
import Hummingbird
import HummingbirdTesting
import Testing

@testable import Studio

@Suite struct PageTests {
  @Test("the page's files are small, and all that they name is there")
  func whole() throws {
    let page = Page()
    #expect(page.size < 300_000)
    for path in [
      "/", "/app.js", "/style.css", "/sw.js", "/manifest.webmanifest", "/icon.svg", "/icon-192.png",
      "/icon-512.png", "/styles/none.webp",
    ] {
      #expect(page.paths.contains(path))
    }
  }

  @Test("the page comes from this machine alone: it names no other host and has no inline script")
  func own() throws {
    let folder = try #require(
      URL(filePath: #filePath).deletingLastPathComponent().appending(
        path: "../../Sources/Studio/Page/Assets") as URL?)
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
      guard let text = try? String(contentsOf: folder.appending(path: name), encoding: .utf8)
      else { continue }
      let addresses = text.matches(of: /https?:\/\/[^\s"'<>)]+/).map { String($0.output) }
      #expect(addresses.allSatisfy { $0 == "http://www.w3.org/2000/svg" }, "\(name)")
      #expect(!text.contains("onclick=\"") && !text.contains("style=\""), "\(name)")
    }
  }

  @Test("the page is asked for anew and answered with 'not modified' while it is")
  func cached() async throws {
    let bench = try await Bench()
    try await Application(router: bench.server.router()).test(.router) { client in
      let page = try await client.executeRequest(uri: "/", method: .get, headers: [:], body: nil)
      #expect(page.headers[.contentType] == "text/html; charset=utf-8")
      let etag = try #require(page.headers[.eTag])
      let again = try await client.executeRequest(
        uri: "/", method: .get, headers: [.ifNoneMatch: etag], body: nil)
      #expect(again.status == .notModified)
      for path in ["/../Package.swift", "/%2e%2e/Package.swift", "/styles/../../x", "//etc/passwd"]
      {
        let none = try await client.executeRequest(
          uri: path, method: .get, headers: [:], body: nil)
        #expect(none.status == .notFound)
      }
    }
  }
}

import Foundation
import Hummingbird
import HummingbirdTesting
import Testing

@testable import Studio

@Suite struct PageTests {
  @Test("the page's files are small, and all that they name is there")
  func whole() throws {
    let page = Page()
    #expect(page.size < 400_000)
    for path in [
      "/", "/app.js", "/style/base.css", "/sw.js", "/manifest.webmanifest", "/icon.svg",
      "/icon-192.png", "/icon-512.png", "/styles/neon.webp",
    ] {
      #expect(page.paths.contains(path))
    }
  }

  @Test("what is kept for a studio that does not answer are all modules, styles and texts")
  func kept() throws {
    let worker = try #require(try Self.texts()["sw.js"])
    let kept = Set(worker.matches(of: /"(\/[^"]+\.(?:js|css))"/).map { String($0.1) })
    let all = Page().paths.filter { $0.hasSuffix(".js") || $0.hasSuffix(".css") }
    #expect(kept == Set(all).subtracting(["/sw.js"]))
  }

  @Test(
    "every text is there in every language, with the same blanks to fill in, and every one is used")
  func languages() throws {
    let files = try Self.texts()
    var languages: [String: [String: String]] = [:]
    for (name, text) in files where name.hasPrefix("texts/") {
      let pairs = text.matches(of: /"([a-z][^"]*)": "((?:[^"\\]|\\.)*)"/).map {
        (String($0.1), String($0.2))
      }
      languages[name] = Dictionary(pairs) { $1 }
      #expect(pairs.count == languages[name]?.count, "\(name) has a text twice")
    }
    let english = try #require(languages["texts/en.js"])
    #expect(languages.count == 3)
    for (name, texts) in languages {
      let lacking = Set(english.keys).symmetricDifference(texts.keys)
      #expect(lacking.isEmpty, "\(name): \(lacking.sorted())")
      for (key, text) in texts {
        let blanks = { (text: String) in Set(text.matches(of: /\{\w+\}/).map { String($0.0) }) }
        #expect(blanks(text) == blanks(english[key] ?? ""), "\(name): \(key)")
        #expect(!text.isEmpty, "\(name): \(key)")
      }
    }
    var used: Set<String> = []
    var beginnings: Set<String> = []
    for (name, text) in files where !name.hasPrefix("texts/") {
      if name.hasSuffix(".html") {
        used.formUnion(text.matches(of: /data-t(?:-[a-z-]+)?="([^"]+)"/).map { String($0.1) })
      } else {
        // A text may be named anywhere in a module, and some are put together.
        let words = text.matches(of: /"([a-z][a-zA-Z.]*)"/).map { String($0.1) }
        used.formUnion(words)
        used.formUnion(words.flatMap { ["\($0).one", "\($0).other"] })
        beginnings.formUnion(text.matches(of: /`([a-z]+\.)\$\{/).map { String($0.1) })
        let asked = text.matches(of: /\bt\("([^"]+)"/).map { String($0.1) }
        for key in asked { #expect(english[key] != nil, "\(name) asks for \(key)") }
        let counted = text.matches(of: /\bcounted\("([^"]+)"/).map { String($0.1) }
        for key in counted { #expect(english[key + ".one"] != nil, "\(name) asks for \(key)") }
      }
    }
    let idle = english.keys.filter { key in
      !used.contains(key) && !beginnings.contains { key.hasPrefix($0) }
    }
    #expect(idle.isEmpty, "nothing says \(idle.sorted())")
    for name in used where files["index.html"]?.contains("=\"\(name)\"") == true {
      guard files["index.html"]?.contains("data-t=\"\(name)\"") == true else { continue }
      #expect(english[name] != nil, "index.html asks for \(name)")
    }
  }

  @Test("nothing that people read stands in a module or the document itself")
  func spoken() throws {
    for (name, text) in try Self.texts() where !name.hasPrefix("texts/") {
      guard name.hasSuffix(".js"), name != "sw.js" else { continue }
      let code = text.split(separator: "\n").filter {
        !$0.trimmingCharacters(in: .whitespaces).hasPrefix("//")
          && !$0.trimmingCharacters(in: .whitespaces).hasPrefix("*")
          && !$0.trimmingCharacters(in: .whitespaces).hasPrefix("/*")
      }.joined(separator: "\n")
      // A sentence: a capital letter, and words behind it.
      let sentences = code.matches(of: /["`]([A-Z][a-z]+ [a-z][^"`]*)["`]/).map { String($0.1) }
      #expect(sentences.isEmpty, "\(name): \(sentences)")
    }
  }

  /// Files of the page that are texts, by their paths.
  private static func texts() throws -> [String: String] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(
      path: "../../Sources/Studio/Page/Assets")
    var texts: [String: String] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: folder.path) {
      texts[name] = try? String(contentsOf: folder.appending(path: name), encoding: .utf8)
    }
    return texts
  }

  @Test("the page comes from this machine alone: it names no other host and has no inline script")
  func own() throws {
    for (name, text) in try Self.texts() {
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

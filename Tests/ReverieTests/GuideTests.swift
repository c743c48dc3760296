import Foundation
import FoundationXML
import Imaging
import TestSupport
import Testing

/// The guide's figures are those that its program draws, and its pages show them all.
@Suite("The guide") struct GuideTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Docs/guide")

  private static func names(in folder: URL, endingIn endings: [String]) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { name in endings.contains { name.hasSuffix($0) } }.sorted()
  }

  /// Width and height of a figure as it says itself.
  private static func size(of url: URL) throws -> [Int] {
    guard url.pathExtension == "svg" else {
      let picture = try Picture.read(from: url.path)
      return [picture.width, picture.height]
    }
    let text = try String(contentsOf: url, encoding: .utf8)
    let match = try #require(text.firstMatch(of: /<svg [^>]*width="(\d+)" height="(\d+)"/))
    return [Int(match.1) ?? 0, Int(match.2) ?? 0]
  }

  /// Whether there is anything to be seen.
  private static func showsSomething(_ url: URL) throws -> Bool {
    guard url.pathExtension == "svg" else {
      let bytes = try Picture.read(from: url.path).bytes
      return bytes.count { abs(Int($0) - Int(bytes[0])) > 40 } > bytes.count / 100
    }
    let text = try String(contentsOf: url, encoding: .utf8)
    let document = try XMLDocument(xmlString: text)
    return document.rootElement()?.childCount ?? 0 > 10 && !text.contains("nan")
  }

  @Test("the program draws every figure, in a few steps, in the size that it has in the guide")
  func figures() throws {
    let drawn = try ScratchFolder.make("figures")
    let process = Process()
    process.executableURL = Program.url.deletingLastPathComponent().appending(path: "reverie-guide")
    process.arguments = ["--small", drawn.path]
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    let found = try Self.names(in: drawn, endingIn: [".svg", ".webp"])
    #expect(try found == Self.names(in: Self.folder, endingIn: [".svg", ".webp"]))
    for name in found {
      let (new, kept) = (drawn.appending(path: name), Self.folder.appending(path: name))
      #expect(try Self.size(of: new) == Self.size(of: kept), "\(name)")
      #expect(try Self.showsSomething(new), "\(name)")
      #expect(try Self.showsSomething(kept), "\(name) of the guide")
    }
  }

  @Test(
    "every figure is on a page, and every page shows figures that there are and has a link to it")
  func pages() throws {
    let pages = try Self.names(in: Self.folder, endingIn: [".md"])
    let figures = try Self.names(in: Self.folder, endingIn: [".svg", ".webp"])
    var shown: Set<String> = []
    var linked: Set<String> = []
    for page in pages {
      let text = try String(contentsOf: Self.folder.appending(path: page), encoding: .utf8)
      let here = text.matches(of: /!\[[^\]]+\]\(([^)]+)\)/).map { String($0.1) }
      shown.formUnion(here)
      linked.formUnion(text.matches(of: /[^!]\[[^\]]+\]\(([a-z-]+\.md)\)/).map { String($0.1) })
      #expect((page == "README.md" ? 1...1 : 1...4).contains(here.count), "\(page) shows \(here)")
    }
    #expect(shown.sorted() == figures)
    #expect(linked.isSuperset(of: pages.filter { $0 != "README.md" }))
  }

  @Test("the guide is smaller than four megabytes")
  func size() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
    let bytes = try files.reduce(0) { sum, name in
      let path = Self.folder.appending(path: name).path
      return sum + (try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0)
    }
    #expect(bytes < 4 << 20)
  }
}

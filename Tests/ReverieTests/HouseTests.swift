import Foundation
import Models
import Painting
import Testing

/// Rules of the house that no compiler checks.
@Suite("The house")
struct HouseTests {
  private static let sources = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Sources")

  /// Every line of code, with its file below `Sources`.
  private static func lines() throws -> [(file: String, text: Substring)] {
    let found = try #require(
      FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
    let files = found.compactMap { $0 as? URL }.filter {
      ["swift", "js"].contains($0.pathExtension)
    }
    #expect(files.count > 300)
    return try files.flatMap { url in
      let text = try String(contentsOf: url, encoding: .utf8)
      let file = String(url.path.dropFirst(sources.path.count + 1))
      return text.split(separator: "\n").filter {
        !$0.trimmingCharacters(in: .whitespaces).hasPrefix("//")
      }.map { (file, $0) }
    }
  }

  @Test("no method is named outside Methods/, but in the one list that makes them known")
  func methods() throws {
    let ids = Registry.builtIn.methods.map(\.id.rawValue)
    #expect(ids.count > 10)
    var named: [String] = []
    for (file, text) in try Self.lines() where !file.hasPrefix("Painting/Methods/") {
      // What has the name of a method and is none: ways of cutting views, keys of a log, a model's kind.
      let others = ["Painting/Views/CutoutMode.swift", "Studio/Queue/LocalWorker.swift"]
      if others.contains(file) || file.hasPrefix("Models/") { continue }
      // A book about methods, with figures of each.
      if file.hasPrefix("reverie-guide/") { continue }
      // Names of schema 1, read and never written.
      if file == "Painting/Packs/Pack.swift" { continue }
      if ids.contains(where: { text.contains("\"\($0)\"") || text.contains("--method \($0)") }) {
        named.append("\(file): \(text)")
      }
    }
    #expect(named == [])
  }

  @Test(
    "a network is named outside its own files on three lines at most",
    arguments: [
      "BigGAN", "RRDBNet", "VGG16", "AestheticHead", "DVAEEncoder", "DVAEDecoder", "VDiffusion",
    ])
  func networks(_ name: String) throws {
    // Its own: where it is defined, drawn with, trained, explained, and the tool that it is.
    let own =
      [
        "Models/\(name)", "Models/DVAE", "Models/VGG", "Painting/Methods/", "Training/Stages/",
        "reverie-guide/", "Studio/Page/Assets/texts/",
      ]
      + (name == "RRDBNet" ? ["Painting/Enlarger.swift"] : [])
    let lines = try Self.lines().filter { file, text in
      !own.contains(where: file.hasPrefix) && text.contains(name)
    }
    #expect((1...3).contains(lines.count), "\(lines.map { "\($0.file): \($0.text)" })")
  }
}

import ArgumentParser
import Foundation
import Imaging
import Painting

/// `reverie describe FILE…`: says what pictures show.
package struct Describe: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    abstract: "Says what a picture shows, as a prompt.",
    discussion: """
      CLIP compares the picture with phrases that it knows: things, places and styles of the pack, or your \
      own, one a line.

      EXAMPLES
        reverie describe fox.png
        reverie describe photograph.jpg --clip vit-b32 --phrases things.txt
        reverie describe fox.png --json
      """)

  @Argument(help: ArgumentHelp("Pictures: PNG, JPEG or WebP.", valueName: "file"))
  var files: [String]

  @Option(help: "Most things to tell.")
  var count = 5

  @Option(help: ArgumentHelp("An installed CLIP instead of the pack's.", valueName: "id"))
  var clip: String?

  @Option(help: ArgumentHelp("A text file of things to choose among.", valueName: "file"))
  var phrases: String?

  @Flag(help: "Print results as JSON, one object a line.")
  var json = false

  @OptionGroup(title: "Execution")
  var execution: ExecutionOptions

  package init() {}

  package func validate() throws {
    guard (1...1000).contains(count) else {
      throw ValidationError("--count must be from 1 to 1000, not \(count).")
    }
  }

  package func run() async throws {
    let book = try phrases.map { path in
      guard FileError.isRegular(path), let text = try? String(contentsOfFile: path, encoding: .utf8)
      else {
        throw FileError(path: path)
      }
      let lines = text.split(whereSeparator: \.isNewline)
        .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
      return PhraseBook(things: Array(lines.prefix(100_000)))
    }
    let engine = try execution.engine(execution.openPack(), device: execution.resolvedDevice())
    var batch = Batch(of: files.count)
    for file in files {
      try await batch.attempt(file) {
        let found = try await engine.describe(
          Picture.read(from: file), from: book, clip: clip, count: count)
        Console.result(try text(found, of: file))
      }
    }
    try batch.end()
  }

  private func text(_ found: Painting.Description, of file: String) throws -> String {
    if json {
      struct Line: Encodable {
        let path: String
        let caption: String
        let things: [Painting.Description.Finding]
      }
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      let line = Line(path: file, caption: found.caption, things: found.things)
      return String(decoding: try encoder.encode(line), as: UTF8.self)
    }
    let name = files.count > 1 ? "\(file): " : ""
    let things = found.things.map { String(format: "  %5.3f  ", $0.similarity) + $0.phrase }
    return ([name + found.caption] + things).joined(separator: "\n")
  }
}

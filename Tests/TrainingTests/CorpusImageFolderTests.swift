import Foundation
import Imaging
import Testing

@testable import Training

@Suite("Folders of pictures with captions")
struct CorpusImageFolderTests {
  /// A folder of the given files, removed afterwards.
  private func withFolder(_ files: [String: String], _ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "image-folder-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for (name, text) in files {
      try Data(text.utf8).write(to: folder.appending(path: name))
    }
    try body(folder.path)
  }

  /// A decoder for the tests: red, 20 x 10, with a blue left quarter; files of "bad" are damaged.
  private func decode(_ path: String) throws -> Picture {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw CorpusError.unreadableFolder(path: path, reason: "no file")
    }
    if data == Data("bad".utf8) { throw CorpusError.badConfiguration("damaged") }
    var picture = try Picture(width: 20, height: 10, color: Color(0xff0000))
    picture.fill(x: 0, y: 0, width: 5, height: 10, color: Color(0x0000ff))
    return picture
  }

  @Test("pictures beside text files become examples, cut to the middle square")
  func paired() throws {
    let files = [
      "b.png": "", "b.txt": " a red\n square ", "a.JPG": "", "a.txt": "first", "c.webp": "",
      "d.png": "bad", "d.txt": "damaged", "e.png": "", "e.txt": " ", "notes.md": "",
    ]
    try withFolder(files) { path in
      let folder = try ImageFolder(path: path, size: 8, decode: decode)
      #expect(folder.count == 2)
      #expect(folder.skipped.map(\.item) == ["c.webp", "e.png", "notes.md", "d.png"])
      #expect(folder.summary.first == "2 pictures with captions; 4 left out:")
      #expect(folder.summary.dropFirst().first == "  c.webp: no caption: c.txt is missing")
      let (pixels, labels) = folder.batch([0, 1, 2, -1])
      #expect(labels.map(\.caption) == ["first", "a red square", "first", "a red square"])
      #expect(pixels[..<64].allSatisfy { $0 == 255 } && pixels[64..<192].allSatisfy { $0 == 0 })
      #expect(try folder.example(1).picture[4, 4] == Color(0xff0000))
    }
  }

  @Test("metadata.jsonl gives captions by text or caption; bad lines are listed")
  func listed() throws {
    let metadata = """
      {"file_name": "a.png", "text": "a thing"}
      {"file_name": "b.png", "caption": "another"}

      not json
      {"text": "no file"}
      {"file_name": "../secret.png", "text": "outside"}
      {"file_name": "/etc/passwd", "text": "outside"}
      {"file_name": "a.png"}
      {"file_name": "gone.png", "text": "gone"}
      [1, 2]
      """
    try withFolder(["metadata.jsonl": metadata, "a.png": "", "b.png": ""]) { path in
      let folder = try ImageFolder(path: path, size: 16, decode: decode)
      #expect(folder.batch([0, 1]).labels.map(\.caption) == ["a thing", "another"])
      #expect(folder.skipped.count == 7)
    }
  }

  @Test("a folder without anything usable, or no folder, is a clear error")
  func nothing() throws {
    try withFolder(["a.png": "", "b.png": "bad", "b.txt": "b"]) { path in
      #expect {
        try ImageFolder(path: path, size: 8, decode: decode)
      } throws: {
        let text = "\($0)"
        return text.contains("metadata.jsonl") && text.contains("a.txt is missing")
      }
      #expect {
        try ImageFolder(path: path + "/a.png", size: 8, decode: decode)
      } throws: { "\($0)".contains("not a folder") }
      #expect {
        try ImageFolder(path: path + "/none", size: 8, decode: decode)
      } throws: { "\($0)".contains("does not exist") }
      #expect(throws: CorpusError.self) { try ImageFolder(path: path, size: 0, decode: decode) }
    }
  }

  @Test("pictures beyond the memory limit are refused before they are read")
  func memory() throws {
    try withFolder(["a.png": "", "a.txt": "a"]) { path in
      #expect {
        try ImageFolder(path: path, size: 8, memoryLimit: 100, decode: decode)
      } throws: { "\($0)".contains("smaller size") }
    }
  }

  @Test("captions of trainers, endings in capitals, and why something else is left out")
  func kinds() throws {
    let files = [
      "a.png": "", "a.caption": "one", "b.PNG": "", "b.TXT": "two", "c.png": "", "c.txt": "first",
      "c.caption": "second", "lonely.txt": "none", "metadata.csv": "x",
    ]
    try withFolder(files) { path in
      try FileManager.default.createDirectory(
        atPath: path + "/10_fox", withIntermediateDirectories: true)
      let folder = try ImageFolder(path: path, size: 8, decode: decode)
      #expect(folder.batch([0, 1, 2]).labels.map(\.caption) == ["one", "two", "first"])
      let reasons = Dictionary(uniqueKeysWithValues: folder.skipped.map { ($0.item, $0.reason) })
      #expect(reasons["10_fox"]?.contains("a folder within") == true)
      #expect(reasons["lonely.txt"]?.contains("without a picture") == true)
      #expect(reasons["metadata.csv"]?.contains("metadata.jsonl") == true)
    }
  }

  @Test("what metadata.jsonl does not list, or says otherwise than as one text, is told truthfully")
  func unlisted() throws {
    let metadata = """
      {"file_name": "a.png", "text": "a thing"}
      {"file_name": "b.png", "text": ["fox", "a fox"]}
      {"file_name": "c.png", "text": ""}
      {"file_name": "d.png"}
      """
    let files = ["metadata.jsonl": metadata, "a.png": "", "b.png": "", "e.png": "", "e.txt": "e"]
    try withFolder(files) { path in
      let folder = try ImageFolder(path: path, size: 8, decode: decode)
      let reasons = Dictionary(uniqueKeysWithValues: folder.skipped.map { ($0.item, $0.reason) })
      #expect(folder.count == 1)
      #expect(reasons["b.png"] == "its 'text' in metadata.jsonl is a list, and one text is wanted")
      #expect(reasons["c.png"] == "its 'text' in metadata.jsonl is empty")
      #expect(reasons["d.png"] == "no text and no caption in metadata.jsonl")
      #expect(reasons["e.png"] == "metadata.jsonl does not list it")
    }
  }
}

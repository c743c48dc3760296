import Foundation
import Imaging
import Painting
import TestSupport
import Testing

/// `reverie explain PICTURE`: a page that tells how a picture came about.
@Suite struct ExplanationTests {
  private static let pack = Result { try TinyPack.make().path }

  private func painted(_ name: String, in program: Program) throws {
    let result = try program.run([
      "a <red> fox", "-m", "pixels", "-i", "6", "--cutouts", "2", "--size", "32", "--seed", "3",
      "--pack", Self.pack.get(), "-o", name,
    ])
    #expect(result.status == 0, "\(result.errors)")
  }

  @Test("a picture is painted once more, and its page stands beside it and needs no other file")
  func page() throws {
    let program = try Program()
    try painted("fox.png", in: program)
    let before = try Data(contentsOf: program.folder.appending(path: "fox.png"))
    let result = try program.run(["explain", "fox.png", "--pack", Self.pack.get()])
    #expect(result.status == 0 && result.output == "fox.html\n", "\(result.errors)")
    #expect(!result.errors.contains("differs"))
    let page = try String(
      contentsOf: program.folder.appending(path: "fox.html"), encoding: .utf8)
    for title in ["On the way", "What CLIP saw", "Where it was pulled", "Loss"] {
      #expect(page.contains("<h2>\(title)</h2>"))
    }
    #expect(page.contains("a &lt;red> fox") && !page.contains("<red>"))
    #expect(!page.contains("src=\"http") && !page.contains("<script"))
    #expect(try Data(contentsOf: program.folder.appending(path: "fox.png")) == before)
    // Nothing is ever overwritten.
    let again = try program.run(["explain", "fox.png", "--pack", Self.pack.get()])
    #expect(again.status != 0 && again.errors.contains("fox.html"))
    let other = try program.run([
      "explain", "fox.png", "-o", "other.html", "--pack", Self.pack.get(),
    ])
    #expect(other.status == 0 && other.output == "other.html\n")
  }

  @Test("a picture that comes out otherwise now is told of")
  func differs() throws {
    let program = try Program()
    try painted("fox.png", in: program)
    let file = program.folder.appending(path: "fox.png").path
    let metadata = try Metadata(ofPictureAt: file)
    var picture = try Picture.read(from: file)
    picture[0, 0] = .init(red: 1, green: 2, blue: 3)
    try picture.write(
      to: program.folder.appending(path: "changed.png").path, as: .png(texts: metadata.texts()))
    let result = try program.run(["explain", "changed.png", "--pack", Self.pack.get()])
    #expect(result.status == 0 && result.errors.contains("differs from changed.png"))
  }

  @Test(
    "what cannot be explained is told in words",
    arguments: [
      ("none.png", "none.png"), ("film.mp4", "only pictures are explained"),
      ("plain.png", "did not paint it"),
    ])
  func refused(name: String, reason: String) throws {
    let program = try Program()
    try Picture(width: 8, height: 8, color: .white).write(
      to: program.folder.appending(path: "plain.png").path)
    let result = try program.run(["explain", name])
    #expect(result.status != 0 && result.errors.contains(reason), "\(result.errors)")
  }
}

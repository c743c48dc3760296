import Foundation
import Testing
import TestSupport

@testable import reverie

@Suite struct ModelsCommandTests {
  private static let pack = Result { try TinyPack.make() }

  private func vqgan() throws -> String {
    try Self.pack.get().appending(path: "vqgan.safetensors").path
  }

  @Test("a file is explained, installed, listed, verified, painted with, and removed")
  func life() throws {
    let program = try Program()
    let shown = try program.run(["models", "show", vqgan()])
    #expect(shown.status == 0, "\(shown.errors)")
    for words in ["safetensors", "VQGAN f8, 16 codes, 2 levels", "taming VQGAN", "all fit"] {
      #expect(shown.output.contains(words), "\(shown.output)")
    }
    let none = try program.run(["models"])
    #expect(none.status == 0 && none.output.isEmpty && none.errors.contains("models add"))

    let added = try program.run(["models", "add", vqgan(), "--id", "drawer", "--licence", "MIT"])
    #expect(added.status == 0 && added.output == "drawer\n", "\(added.errors)")
    let listed = try program.run(["models", "list"])
    #expect(listed.output.hasPrefix("drawer") && listed.output.contains("vqgan"))
    let json = try program.run(["models", "list", "--json"])
    #expect(json.output.contains(#""licence":"MIT""#))
    #expect(try program.run(["models", "verify"]).status == 0)
    #expect(try program.run(["models", "show", "drawer"]).output.contains("SHA-256"))

    let pack = try Self.pack.get().path
    let painted = try program.run([
      "red fox", "--method", "vqgan-clip", "--model", "drawer", "--clip", "pack", "--iterations",
      "2", "--size", "32", "--pack", pack, "-o", "one.png",
    ])
    #expect(painted.status == 0, "\(painted.errors)")
    let again = try program.run(["again", "one.png", "--pack", pack, "-o", "two.png"])
    #expect(again.status == 0, "\(again.errors)")
    let pictures = try ["one.png", "two.png"].map {
      try Data(contentsOf: program.folder.appending(path: $0))
    }
    #expect(pictures[0] == pictures[1])

    let file = program.folder.appending(path: "models/drawer/vqgan.safetensors")
    var bytes = try Data(contentsOf: file)
    bytes[bytes.count - 1] ^= 1
    try bytes.write(to: file)
    let damaged = try program.run(["models", "verify", "drawer"])
    #expect(damaged.status == 1 && damaged.errors.contains("SHA-256"))
    #expect(try program.run(["models", "remove", "drawer"]).status == 0)
    #expect(try program.run(["models", "add", vqgan(), pack + "/pack.json"]).status == 1)
    let other = program.folder.appending(path: "other")
    try FileManager.default.createDirectory(at: other, withIntermediateDirectories: true)
    try bytes.write(to: other.appending(path: "vqgan.safetensors"))
    #expect(try program.run(["models", "add", "other", "--id", "drawer"]).status == 0)
    let changed = try program.run(["again", "one.png", "--pack", pack, "-o", "three.png"])
    #expect(changed.status == 0 && changed.errors.contains("another model 'drawer'"))
    #expect(try program.run(["models", "remove", "drawer"]).status == 0)
    #expect(try program.run(["models", "list"]).output.isEmpty)
  }

  @Test(
    "what cannot be done is said, and nothing crashes",
    arguments: [
      (["models", "show", "none"], Int32(1), "No model 'none'"),
      (["models", "show", "text.pt"], 1, "no file of weights"),
      (["models", "add", "text.pt"], 1, "no file of weights"),
      (["models", "add", "none.pt"], 1, "open the file"),
      (["models", "add", "text.pt", "--activation", "relu"], 64, "no activation"),
      (["models", "remove", "../x"], 1, "No model"), (["models", "pull", "x"], 1, "list --known"),
      (["models", "pull", "hf:a/b/c"], 1, "neither"), (["models", "frobnicate"], 64, "frobnicate"),
      (["red fox", "--clip", "none"], 1, "No model 'none'"),
      (["red fox", "--clip", "a:b"], 64, "weight"),
      (["red fox", "--method", "line", "--model", "x"], 64, "not a parameter of line"),
      (["red fox", "--method", "dalle", "--model", "x"], 1, "No model 'x'"),
    ])
  func refusals(arguments: [String], status: Int32, words: String) throws {
    let program = try Program()
    try Data("this is a text and no weights".utf8)
      .write(to: program.folder.appending(path: "text.pt"))
    let result = try program.run(arguments)
    #expect(!result.crashed)
    #expect(result.status == status, "\(result.errors)")
    #expect(result.errors.contains(words), "\(result.errors)")
    #expect(result.output.isEmpty)
    #expect(program.contents.filter { $0 != "text.pt" && $0 != "models" }.isEmpty)
  }
}

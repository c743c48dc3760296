import Foundation
import Testing
import Torch
import TestSupport

@testable import Painting

@Suite struct PresetTests {
  private static let resolver = Result { try TinyPack.resolver(Pack(folder: TinyPack.make())) }

  private func preset(_ yaml: String, name: String = "mine") throws -> Preset {
    try Preset(yaml: yaml, name: name, path: "\(name).yaml")
  }

  private func apply(_ presets: [Preset], to request: Request = Request("fox")) throws -> Request {
    try request.with(presets, Self.resolver.get())
  }

  @Test(
    "every preset that ships is read, and resolves with each method that it may meet",
    arguments: PresetLibrary(folders: [PresetLibrary.shipped]).files.keys.sorted())
  func shipped(_ name: String) throws {
    let preset = try PresetLibrary(folders: [PresetLibrary.shipped]).preset(name)
    let resolver = try Self.resolver.get()
    var request = Request("red fox | snow:0.5")
    let resolved = try resolver.resolve(apply([preset], to: request), device: .cpu)
    let method = try #require(Registry.builtIn.method(resolved.method))
    for (field, value) in preset.values.fields where method.takes(field) {
      #expect(resolved[field] == value, "\(field)")
    }
    #expect(!resolved.prompt.isEmpty)
    request.clip = "vit-b32"
    let large = try request.with([preset], resolver)
    for (field, value) in preset.large.fields where method.takes(field) {
      #expect(large[field] == value, "\(field)")
    }
    guard preset.values.fields["method"] == nil, preset.prompt?.contains("|") != true else {
      return
    }
    for method in TinyPack.methods {
      var request = Request("red fox")
      request.method = method.id
      // Whose pictures are square.
      if method.makesCandidates,
        preset.values.fields["width"] != preset.values.fields["height"]
      {
        continue
      }
      _ = try resolver.resolve(request.with([preset], resolver), device: .cpu)
    }
  }

  @Test("what ships is what was asked for")
  func complete() {
    let names = Set(PresetLibrary(folders: [PresetLibrary.shipped]).files.keys)
    #expect(
      names.isSuperset(of: [
        "draft", "normal", "better", "best", "square", "portrait", "widescreen", "pixel-art",
        "text2pixel", "line-drawing", "paint-strokes", "stained-glass", "knitted", "mosaic",
        "triangles", "hexagons", "woodcut", "neon", "blueprint", "silhouette", "poster",
        "seamless-tile", "wallpaper", "dream", "deep-daze", "big-sleep", "crowson-notebook",
        "nerdyrodent", "mse-regularised", "codebook-sampling", "watercolour", "oil-painting",
        "emoji",
      ]))
  }

  @Test("of two presets the later counts, their parts add up, and those of one name are replaced")
  func order() throws {
    let first = try preset(
      """
      help: One
      request:
        method: vqgan-clip
        iterations: 10
        cutouts: 3
        objectives: [{name: palette, weight: 0.5}, {name: smoothness}]
      """)
    let second = try preset(
      """
      help: Two
      request:
        iterations: 20
        objectives: [{name: symmetry}, {name: palette, weight: 0.25}]
        filters: [{name: tiler}]
      """)
    let both = try apply([first, second])
    #expect(both.iterations == 20 && both.cutouts == 3 && both.method == .vqganCLIP)
    #expect(both.objectives?.map(\.name) == ["smoothness", "symmetry", "palette"])
    #expect(both.objectives?.last?.weight == 0.25)
    #expect(both.filters?.map(\.name) == ["tiler"])
    #expect(try apply([second, first]).iterations == 10)
  }

  @Test("what the request says goes before presets, and its objectives add to theirs")
  func explicit() throws {
    let one = try preset(
      """
      help: One
      scale: 2
      request:
        method: pixel
        iterations: 10
        columns: 8
        objectives: [{name: palette}, {name: smoothness}]
      """)
    var request = Request("fox")
    request.method = .vqganCLIP
    request.iterations = 5
    request.width = 64
    request.height = 64
    request.objectives = [PartSpec("smoothness", weight: 3)]
    let made = try apply([one], to: request)
    #expect(made.method == .vqganCLIP && made.iterations == 5)
    #expect(made.width == 64 && made.height == 64)
    #expect(made.arguments.isEmpty)
    #expect(made.objectives == [PartSpec("palette"), PartSpec("smoothness", weight: 3)])
    request.method = .dalle
    (request.iterations, request.objectives) = (nil, nil)
    var look = one
    #expect(try apply([one], to: request).method == .dalle)
    look = try preset("{help: Look, request: {method: pixel, columns: 8}}", name: "look")
    #expect(throws: PresetError.idle("look", method: .dalle)) { try apply([look], to: request) }
  }

  @Test("the scale multiplies the size of other presets in any order, or the method's own")
  func scale() throws {
    let wide = try preset("{help: Wide, request: {width: 320, height: 180}}")
    let half = try preset("{help: Half, scale: 0.5}")
    for presets in [[wide, half], [half, wide]] {
      let made = try apply(presets)
      #expect(made.width == 160 && made.height == 90 && made.method == .diffusion)
    }
    #expect(try apply([half]).width == 128)
    var daze = Request("fox")
    daze.method = "deep-daze"
    #expect(try apply([half], to: daze).width == 48)
  }

  @Test("one quality serves methods with other parameters, and large CLIPs otherwise")
  func quality() throws {
    let one = try preset(
      """
      help: One
      request: {iterations: 10, candidates: 2}
      large: {scale: 2, request: {iterations: 99}}
      """)
    let dalle = try apply([one])
    #expect(dalle.method == .dalle && dalle.candidates == 2 && dalle.iterations == nil)
    var request = Request("fox")
    request.method = .vqganCLIP
    #expect(try apply([one], to: request).iterations == 10)
    request.clip = "pack"
    #expect(try apply([one], to: request).iterations == 10)
    request.clip = "pack,vit-b32:0.5"
    let large = try apply([one], to: request)
    #expect(large.iterations == 99 && large.width == 512)
  }

  @Test(
    "a template is laid around each text that is wanted, and the rest is added to each scene",
    arguments: [
      ("{}, ink", "a fox", "a fox, ink"),
      ("{} | ink", "a fox", "a fox | ink"),
      ("{} | ink:0.5", "a fox:2|snow:-1 ", "a fox:2 | snow:-1 | ink:0.5"),
      ("an ink of {}", "a fox:1:0.8 | snow:-1", "an ink of a fox:1:0.8 | snow:-1"),
      (
        "{} in ink | photo:-0.2", "a ^ b: c:2", "a in ink | photo:-0.2 ^ b: c in ink:2 | photo:-0.2"
      ),
      ("{}, ink", " ", " "),
    ])
  func template(_ template: String, _ prompt: String, _ wanted: String) throws {
    #expect(try PromptTemplate(template)(prompt) == wanted)
  }

  @Test("presets in a request leave no trace but their fields")
  func selfContained() throws {
    let one = try preset("{help: One, prompt: '{} | ink', request: {method: fft, iterations: 3}}")
    let made = try apply([one])
    var request = Request("fox | ink")
    request.method = "fft"
    request.iterations = 3
    #expect(made == request)
  }

  @Test(
    "a bad file gives an error that names it and the field",
    arguments: [
      ("help: [", "not valid YAML"), ("- a", "keys such as help"),
      ("request: {}", "help is missing"),
      ("help: 3", "help must be a text"), ("help: a\nhelp: b", "not valid YAML"),
      ("name: other\nhelp: a", "name is 'other', and its file is named 'mine'"),
      ("help: a\nreqest: {}", "no 'reqest'; did you mean 'request'"),
      ("help: a\nlarge: {help: b}", "no 'large.help'"),
      ("help: a\nlarge: 3", "large must hold scale, work or request"),
      ("help: a\nneeds: money", "needs must be"),
      ("help: a\nscale: 0", "scale must be a number from 0.1 to 16, not 0"),
      ("help: a\nprompt: ink", "prompt must have one {}"),
      ("help: a\nprompt: '{} | {}'", "prompt must have one {}"),
      ("help: a\nrequest: 3", "request must hold fields"),
      ("help: a\nrequest: {prompt: fox}", "request.prompt does not belong there"),
      ("help: a\nrequest: {iteration: 3}", "'iteration'. Did you mean 'iterations'?"),
      ("help: a\nrequest: {iterations: many}", "iterations must be a whole number"),
      ("help: a\nrequest: {method: magic}", "method must be one of"),
      ("help: a\nrequest: {columns: 1}", "columns must be a whole number from 2"),
      ("help: a\nrequest: {clampLatent: maybe}", "clampLatent must be yes or no"),
      ("help: a\nrequest: {objectives: [{name: palete}]}", "has no 'palete'"),
      (
        "help: a\nrequest: {initImage: {name: a.png, sha256: '\(String(repeating: "0", count: 64))'}}",
        "names a file"
      ),
      ("help: a\nlarge: {request: {cutouts: 0}}", "cutouts must be"),
    ])
  func bad(_ yaml: String, _ message: String) throws {
    let error = try #require(throws: PresetError.self) { _ = try preset(yaml) }
    #expect("\(error)".contains(message), "\(error)")
    #expect("\(error)".contains("mine.yaml"))
  }

  @Test("numbers, words and what YAML 1.1 takes for truth are read as they are meant")
  func scalars() throws {
    let one = try preset(
      "help: a\nrequest: {clampLatent: no, learningRate: 1e-2, iterations: 5, clip: '12'}")
    #expect(
      one.values.fields == [
        "clampLatent": .bool(false), "learningRate": .number(0.01), "iterations": .integer(5),
        "clip": .string("12"),
      ])
  }

  @Test("a user's presets go before those that ship, and a missing name gets the nearest")
  func library() throws {
    let folder = try ScratchFolder.make("presets")
    try Data("help: Mine\nrequest: {iterations: 7}".utf8).write(
      to: folder.appending(path: "draft.yaml"))
    let library = PresetLibrary.standard(["REVERIE_PRESETS": folder.path])
    #expect(try library.preset("draft").help == "Mine")
    #expect(
      try library.presets(["draft, better", "best"]).map(\.name) == ["draft", "better", "best"])
    #expect(throws: PresetError.unknown("drft", nearest: "draft")) { try library.preset("drft") }
    #expect(throws: PresetError.self) { try library.preset("../draft") }
    #expect(
      PresetLibrary.user(["XDG_CONFIG_HOME": "/c"]).path.hasPrefix("/c/reverie/presets"))
    #expect(PresetLibrary.user(["HOME": "/h"]).path.hasPrefix("/h/.config/reverie/presets"))
  }
}

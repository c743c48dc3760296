import Foundation
import Imaging
import Models
import Painting
import Testing
import Tokenizers
import Torch
import Weights
import TestSupport

@testable import Training

@Suite("Figures of drawers")
struct DrawerFiguresTests {
  @Test("a mean has the standard error of the sample")
  func mean() {
    let mean = Mean([1, 2, 3, 4])
    #expect(mean.value == 2.5)
    // s² = (2.25 + 0.25 + 0.25 + 2.25) / 3 = 5/3; √(5/3 / 4)
    #expect(abs(mean.error - 0.6454972243679028) < 1e-12)
    #expect(mean.description == "2.500 ± 0.645")
    #expect(Mean([7]).error == 0)
    #expect(Mean([]).description == "–")
  }

  @Test("beginnings, other prompts' pictures and gains come from the right cells")
  func cells() {
    let start = [[0.1, 0, 0], [0, 0.2, 0], [0, 0, 0.6]]
    let final = [[0.5, 0.1, 0.2], [0.3, 0.4, 0.5], [0.1, 0, 0.3]]
    let figures = DrawerFigures(start: start, final: final)
    #expect(abs(figures.start.value - 0.3) < 1e-12)
    #expect(abs(figures.final.value - 0.4) < 1e-12)
    // Prompt by prompt: (0.3 + 0.1) / 2, (0.1 + 0) / 2, (0.2 + 0.5) / 2
    #expect(figures.others == Mean([0.2, 0.05, 0.35]))
    #expect(abs(figures.gain.value - (0.4 + 0.2 - 0.3) / 3) < 1e-12)
    #expect(figures.wins == Proportion(2, of: 3))
    #expect(
      figures.found == Proportion(2, of: 3), "the second picture fits the third prompt better")
  }

  @Test("what began with nothing has no gain")
  func withoutStart() {
    let figures = DrawerFigures(start: nil, final: [[0.5]])
    #expect(figures.start.count == 0 && figures.gain.count == 0 && figures.wins.count == 0)
    #expect(figures.others.count == 0)
    #expect(figures.final == Mean([0.5]))
  }
}

@Suite("A CLIP as judge")
struct CLIPJudgeTests {
  static func tokenizer() throws -> CLIPTokenizer {
    try CLIPTokenizer(merges: [
      .init("r", "e"), .init("re", "d</w>"), .init("f", "o"), .init("fo", "x</w>"),
    ])
  }

  /// A judge of random weights in a new folder.
  static func make(in folder: URL) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let tokenizer = try tokenizer()
    try tokenizer.encoded().write(to: folder.appending(path: "tokenizer.json"))
    let config = CLIP.Config(
      embedDim: 8, vision: .init(imageSize: 24, patchSize: 8, width: 16, layers: 1, headWidth: 8),
      text: .init(
        contextLength: 16, vocabSize: tokenizer.vocabularySize + 1, width: 16, heads: 2, layers: 1))
    try JSONEncoder().encode(config).write(to: folder.appending(path: "clip.json"))
    let source = Initializer(seed: 3)
    _ = CLIP(Parameters(source), config)
    try SafeTensors.write(
      Dictionary(uniqueKeysWithValues: source.parameters.map { ($0.key, $0.tensor.detached()) }),
      to: folder.appending(path: "clip.safetensors"))
  }

  @Test("cosines have a row for each picture of any size and a column for each text")
  func cosines() throws {
    let folder = try ScratchFolder.make("clip-judge")
    try Self.make(in: folder)
    let judge = try CLIPJudge(folder: folder)
    let small = try DrawerEvaluation.noise(size: 24, seed: 1)
    let large = try small.resized(width: 48, height: 48, filter: .nearest)
    let other = try DrawerEvaluation.noise(size: 24, seed: 2)
    let rows = judge.cosines([small, large, other], ["red fox", "fox"])
    #expect(rows.count == 3 && rows.allSatisfy { $0.count == 2 })
    #expect(rows.joined().allSatisfy { abs($0) <= 1 + 1e-5 })
    #expect(rows[0] != rows[2])
    #expect(rows[0][0] != rows[0][1])
    // Alone, a picture gets what it gets among others.
    #expect(abs(judge.cosines([other], ["fox"])[0][0] - rows[2][1]) < 1e-5)
  }

  @Test("a folder without a judge says how to make one")
  func missing() throws {
    let folder = try ScratchFolder.make("no-judge")
    let error = #expect(throws: TrainingError.self) { try CLIPJudge(folder: folder) }
    #expect("\(error.map { "\($0)" } ?? "")".contains("reverie train judge-clip"))
  }
}

@Suite("Evaluation of drawers", .enabled(if: hasCorpus, withoutCorpus))
struct DrawerEvaluationTests {
  @Test("the fixed prompts are twenty different ones that training never shows")
  func prompts() throws {
    let corpus = try Corpus()
    let pairs = HeldOutPairs(catalogue: corpus.catalogue)
    let prompts = try DrawerEvaluation.objects.map { try #require(corpus.heldOutPrompt(of: $0)) }
    #expect(Set(prompts).count == 20)
    #expect(prompts.allSatisfy { pairs.contains($0.label) })
    #expect(Set(prompts.map(\.colorID)).count >= 8, "grounds of many colours")
  }

  @Test("two prompts are painted from their beginnings and judged")
  func evaluates() async throws {
    let pack = try Pack(folder: TinyPack.make())
    let folder = try ScratchFolder.make("judges")
    try CLIPJudgeTests.make(in: folder)
    let clip = try CLIPJudge(folder: folder)
    let evaluation = try PackEvaluation(pack: pack)
    let description = Judge.Description(
      size: 64, widths: [8, 8, 16],
      classes: .init(try EmojiCatalogue(edition: CorpusConfiguration.rich(size: 64).edition)))
    let source = Initializer(seed: 5)
    _ = ConceptClassifier(
      Parameters(source), .init(classes: description.classes.count, widths: description.widths))
    try SafeTensors.write(
      Dictionary(uniqueKeysWithValues: source.parameters.map { ($0.key, $0.tensor.detached()) }),
      to: folder.appending(path: "judge.safetensors"))
    try JSONEncoder().encode(description).write(to: folder.appending(path: "judge.json"))
    let drawing = DrawerEvaluation(
      evaluation, engine: Engine(pack: pack, threads: 1), judge: try Judge(folder: folder))
    let prompts = try evaluation.prompts(of: ["fox", "pizza"])

    let ways = try DrawerEvaluation.ways(of: TinyPack.resolver(pack))
    #expect(ways.first?.name == "dalle")
    for way in ways
    where ["dalle", "pixels", "fft", "vqgan-clip, logits", "vqgan-clip, from dalle's"].contains(
      way.name)
    {
      func draw(iterations: Int) async throws -> [DrawerEvaluation.Drawn] {
        try await drawing.draw(way, prompts, seed: 4, in: folder) { request in
          (request.width, request.height) = (32, 32)
          if way.method.takes("iterations") {
            (request.iterations, request.cutouts) = (iterations, 2)
          }
        }
      }
      let drawn = try await draw(iterations: 2)
      #expect(drawn.map(\.painted.prompt) == prompts, "\(way.name)")
      let figures = DrawerEvaluation.figures(drawn, by: clip)
      #expect(figures.final.count == 2)
      #expect(figures.start.count == (way.method.takes("iterations") ? 2 : 0), "\(way.name)")
      #expect(try drawing.sheet(drawn, cellSize: 16).width > 16)

      // What is kept comes back to the digit, seconds of the first time and all; of another request
      // nothing is.
      let again = try await draw(iterations: 2)
      #expect(again.map(\.painted.picture) == drawn.map(\.painted.picture), "\(way.name)")
      #expect(again.map(\.painted.seconds) == drawn.map(\.painted.seconds), "\(way.name)")
      guard way.method.takes("iterations") else { continue }
      _ = try await draw(iterations: 3)
      let file = folder.appending(path: "\(way.fileName)/1.png").path
      #expect(try Metadata(ofPictureAt: file).request.iterations == 3, "\(way.name)")
    }
  }

  @Test("a beginning is what the first step sees")
  func beginning() async throws {
    let pack = try Pack(folder: TinyPack.make())
    var request = Request("red fox")
    request.method = .init(rawValue: "pixels")
    (request.seed, request.width, request.height) = (9, 32, 32)
    (request.iterations, request.cutouts) = (40, 2)
    var pictures: [Picture] = []
    let first = DrawerEvaluation.beginning(request)
    for request in [request, first, first] {
      for try await event in Engine(pack: pack, threads: 1).generate(request) {
        if case .image(let output) = event { pictures.append(output.picture) }
      }
    }
    #expect(pictures[1] == pictures[2])
    #expect(pictures[0] != pictures[1])
    // Grey with a little noise.
    let start = pictures[1].tensor()
    #expect(abs(start.mean().item() - 0.5) < 0.02)
  }
}

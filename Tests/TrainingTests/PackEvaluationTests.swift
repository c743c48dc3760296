import EmbeddedPack
import Imaging
import Painting
import Testing

@testable import Training

@Suite("What a pack is measured by")
struct PackEvaluationTests {
  private let evaluation: PackEvaluation

  init() throws { evaluation = try PackEvaluation(pack: Pack(folder: EmbeddedPack.folder)) }

  @Test("Reconstructions are told by kind, and all together are the kinds' mean")
  func kinds() throws {
    let result = try evaluation.reconstruction(count: 48)
    #expect(result.parts.map(\.kind).contains("in styles"))
    #expect(result.parts.map(\.count).reduce(0, +) == 48)
    let mean = result.parts.reduce(0) { $0 + $1.ssim * Double($1.count) } / 48
    #expect(abs(mean - result.ssim) < 1e-4)
    // What ships tells things; noise would be near zero.
    #expect(result.ssim > 0.7 && result.unquantized > result.ssim)
    #expect(result.sheet.width == 12 * 128)
  }

  @Test("The judge tells renders, and what the VQGAN gives back is another picture")
  func bounds() throws {
    let judge = try Judge(folder: EmbeddedPack.judges)
    let prompts = evaluation.prompts(.singles, seen: false, count: 6, seed: 1)
    let (renders, coded) = try evaluation.bounds(of: prompts, judge: judge)
    #expect(renders.map(\.prompt.text) == prompts.map(\.text))
    #expect(coded.map(\.prompt.text) == prompts.map(\.text))
    #expect(renders.allSatisfy(\.isFirst) && renders.allSatisfy(\.hasColor))
    #expect(zip(renders, coded).allSatisfy { $0.picture.bytes != $1.picture.bytes })
  }

  @Test("variety is nothing of equal pictures, and the distance of others")
  func variety() throws {
    let judge = try Judge(folder: EmbeddedPack.judges)
    let prompt = try evaluation.prompts(of: ["fox"])[0]
    func variety(_ colors: [UInt32]) throws -> Variety {
      Variety(
        prompt, try colors.map { try Picture(width: 8, height: 8, color: Color($0)) }, judge: judge)
    }
    #expect(try variety([0x808080]).distance == 0)
    #expect(try variety([0x808080, 0x808080, 0x808080]).distance == 0)
    #expect(abs(try variety([0x000000, 0xffffff]).distance - 1) < 1e-6)
    // Two pairs of three lie one apart.
    #expect(abs(try variety([0x000000, 0xffffff, 0xffffff]).distance - 2.0 / 3) < 1e-6)
    // This judge was taught no hands.
    #expect(try variety([0x000000, 0xffffff]).hands.isEmpty)
  }

  @Test("what ships fills holes with what is asked for, and varies what it is shown")
  func edits() async throws {
    let judge = try Judge(folder: EmbeddedPack.judges)
    let engine = Engine(pack: evaluation.pack, cache: nil, threads: 1)
    var request = Request("")
    (request.width, request.height) = (128, 128)
    let filled = try await evaluation.inpaintings(
      of: evaluation.apart(count: 4, seed: 1), with: engine, judge: judge, request: request, seed: 1
    ) { _ in }
    #expect(filled.count == 4 && filled.allSatisfy(\.keepsRest))
    #expect(filled.filter(\.isNamed).count >= 2)
    #expect(filled.allSatisfy { $0.result != $0.original })
    let varied = try await evaluation.variations(
      of: evaluation.prompts(of: ["red heart", "pizza", "rainbow", "strawberry"]), with: engine,
      judge: judge, request: request, seed: 1
    ) { _ in }
    #expect(varied.filter(\.isNamed).count >= 2)
  }

  @Test("what ships paints texts by way of the prior")
  func prior() async throws {
    var request = Request("")
    (request.method, request.width, request.height) = ("unclip", 128, 128)
    let painted = try await evaluation.paint(
      evaluation.prompts(of: ["fox", "pizza", "rainbow", "strawberry"]),
      with: Engine(pack: evaluation.pack, cache: nil, threads: 1),
      judge: Judge(folder: EmbeddedPack.judges), request: request, seed: 1
    ) { _ in }
    #expect(painted.filter(\.isAmongFive).count >= 3)
  }

  @Test("what stands anywhere is found in the whole or in a part, each thing by itself")
  func anywhere() throws {
    let judge = try Judge(folder: EmbeddedPack.judges)
    let render = try evaluation.renders(of: evaluation.prompts(of: ["fox"]))[0]
    let fox = try #require(evaluation.concepts.firstIndex(of: "fox"))
    let whale = try #require(evaluation.concepts.firstIndex(of: "whale"))
    func painted(_ concepts: [Int]) -> PaintedPrompt {
      PaintedPrompt(
        EvaluationPrompt(
          label: ExampleLabel(caption: "x", conceptIDs: concepts, kind: .single),
          isAnywhere: true), render, judge: judge, seconds: 0)
    }
    #expect(painted([fox]).isFirst && painted([fox]).isAmongFive)
    #expect(!painted([fox, whale]).isAmongFive && !painted([whale]).isFirst)
  }
}

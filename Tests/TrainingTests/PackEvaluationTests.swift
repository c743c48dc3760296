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
}

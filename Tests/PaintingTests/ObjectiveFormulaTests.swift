import Foundation
import TestSupport
import Testing
import Torch
import Weights

@testable import Painting

/// Against the functions of the projects that the objectives come from, by `Oracle/objectives.py`. What these
/// do that is left out on purpose:
///
/// - pixray's `smoothness` takes all cutouts stacked, so that their seams count, and blurs √2 times as wide as
///   its option says.
/// - pixray's style transfer and STROTSS itself differ: STROTSS divides covariances by N, not N - 1, and scales
///   the columns of its tables of self-similarity. Ours goes with pixray.
@Suite struct ObjectiveFormulaTests {
  /// float32 on both sides, sums of at most some thousand terms.
  static let tolerance = 2e-5

  private static func file() throws -> SafeTensors {
    try SafeTensors(
      contentsOf: Bundle.module.bundleURL.appending(path: "Fixtures/objectives.safetensors"))
  }

  /// What an objective of cutouts sees.
  private static func observation(cutouts: Tensor) -> Observation {
    let views = Observation.Views(cutouts: cutouts, embeddings: cutouts)
    return Observation(picture: Tensor.zeros([1, 3, 2, 2]), views: [views])
  }

  private static func observation(embeddings: Tensor) -> Observation {
    let views = Observation.Views(cutouts: embeddings, embeddings: embeddings)
    return Observation(picture: Tensor.zeros([1, 3, 2, 2]), views: [views])
  }

  /// The cases by name: what is varied, and the loss of it.
  private static func cases(_ file: SafeTensors) throws -> [(
    name: String, x: Tensor, loss: (Tensor) -> Tensor?
  )] {
    func input(_ name: String) throws -> Tensor { try file.tensor(name).cloned() }
    let (picture, cutouts, wide) = (try input("picture"), try input("cutouts"), try input("wide"))
    let (colors, target) = (try input("colors"), try input("target"))
    let wanted = try input("wanted")
    let latents = try input("latents")
    let (embeddings, texts) = (try input("embeddings"), try input("texts"))
    let (head, bias) = (try input("head"), try input("bias"))
    let x = try input("feature_x")
    let (content, style) = (try input("feature_content"), try input("feature_style"))
    let red = Tensor([1, 0, 0] as [Float], [1, 3, 1, 1])
    let big = try input("big_latents")
    // pixray's loss knows the number of its VGG's features: the rest are zeros.
    func padded(_ x: Tensor) -> Tensor {
      concatenated([x, Tensor.zeros([x.size(0), 2179 - x.size(1)])], over: 1)
    }

    func ofPicture(_ objective: any Objective) -> (Tensor) -> Tensor? {
      { objective.loss(Observation(picture: $0)) }
    }
    func ofCutouts(_ objective: any Objective) -> (Tensor) -> Tensor? {
      { objective.loss(observation(cutouts: $0)) }
    }
    func ofEmbeddings(_ objective: any Objective) -> (Tensor) -> Tensor? {
      { objective.loss(observation(embeddings: $0)) }
    }
    func ofStart(_ measure: StartObjective.Measure) -> (Tensor) -> Tensor? {
      let objective = StartObjective(measure)
      _ = objective.loss(Observation(picture: target, latent: latents[1]))
      if measure == .pixels { return { objective.loss(Observation(picture: $0)) } }
      return { objective.loss(Observation(picture: target, latent: $0)) }
    }
    return [
      ("tv", picture, ofPicture(TotalVariationObjective(kind: .squared))),
      ("tv.isotropic", picture, ofPicture(TotalVariationObjective(kind: .isotropic))),
      ("range", wide, ofPicture(RangeObjective(isSquared: true))),
      ("sat", wide, ofPicture(RangeObjective(isSquared: false))),
      ("symmetry.horizontal", picture, ofPicture(SymmetryObjective(axis: .horizontal))),
      ("symmetry.vertical", picture, ofPicture(SymmetryObjective(axis: .vertical))),
      ("palette", cutouts, ofCutouts(PaletteObjective(colors: colors))),
      ("saturation", cutouts, ofCutouts(SaturationObjective())),
      ("smoothness.default", cutouts, ofCutouts(SmoothnessObjective())),
      ("smoothness.clipped", cutouts, ofCutouts(SmoothnessObjective(response: .clipped))),
      (
        "smoothness.log", cutouts,
        ofCutouts(SmoothnessObjective(response: .log, spacing: 0.7, edgeOrder: 2))
      ),
      (
        "smoothness.blurred", cutouts,
        ofCutouts(SmoothnessObjective(kernel: 4, deviation: 1.3, spacing: 2))
      ),
      (
        "edge.color", picture,
        ofPicture(
          EdgeObjective(
            target: red, margins: .init(left: 0.12, right: 0, top: 0.3, bottom: 0.25)))
      ),
      (
        "edge.picture", picture,
        ofPicture(
          EdgeObjective(
            target: target, margins: .init(left: 0.2, right: 0.2, top: 0.2, bottom: 0.2),
            overall: 0.5))
      ),
      ("edge.mask", picture, ofPicture(EdgeObjective(target: target, wanted: wanted))),
      (
        "gaussian", picture,
        ofPicture(GaussianObjective(color: Tensor.ones([1, 3, 1, 1]), deviation: 0.25))
      ),
      ("prompt", embeddings, ofEmbeddings(PromptObjective(texts))),
      ("prompt.negative", embeddings, ofEmbeddings(PromptObjective(texts[0..<1], weight: -0.7))),
      ("prompt.stop", embeddings, ofEmbeddings(PromptObjective(texts, weight: 0.5, stop: 1.3))),
      (
        "prompt.negative.stop", embeddings,
        ofEmbeddings(PromptObjective(texts, weight: -0.5, stop: -1.3))
      ),
      ("start.zero", latents[0], ofStart(.zero)),
      (
        "start.zero.decayed", latents[0],
        {
          StartObjective(.zero, .decay).loss(Observation(picture: target, latent: $0, iteration: 4))
        }
      ),
      ("start.latent", latents[0], ofStart(.latent)),
      ("start.spherical", latents[0], ofStart(.spherical)),
      ("start.cosine", latents[0], ofStart(.cosine)),
      ("start.pixels", picture, ofStart(.pixels)),
      ("aesthetic", embeddings, ofEmbeddings(AestheticObjective(score: { $0.linear(head, bias) }))),
      ("contrastive", embeddings, ofEmbeddings(ContrastiveObjective(texts: [texts], wanted: 1))),
      ("lookup", picture, { LookupFilter(colors: colors)($0, iteration: 0).loss }),
      ("style.content", x, { selfSimilarityLoss($0, content) }),
      ("style.remd", x, { relaxedEarthMover(cosineDistances($0, style)) }),
      ("style.moments", x, { momentLoss($0, style) }),
      (
        "style.palette", x.narrowed(1, 0, 3).contiguous(),
        { paletteLoss($0, style.narrowed(1, 0, 3)) }
      ),
      (
        "style.all", x,
        { styleLoss(padded($0), content: padded(content), style: padded(style), weight: 8) }
      ),
      ("bigsleep.latents", big, { BigSleepObjective.latents($0) }),
      ("bigsleep.latents.small", big * 0.3, { BigSleepObjective.latents($0) }),
      ("bigsleep.classes", try input("big_classes"), { BigSleepObjective.classes($0) }),
    ]
  }

  @Test("every formula gives PyTorch's value and gradient")
  func formulas() throws {
    let file = try Self.file()
    let cases = try Self.cases(file)
    let expected = file.names.filter { $0.hasSuffix(".value") }.map { $0.dropLast(6) }
    #expect(Set(cases.map { $0.name[...] }) == Set(expected))
    for (name, x, formula) in cases {
      let leaf = x.variable()
      let loss = try #require(formula(leaf), "\(name)")
      #expect(loss.count == 1, "\(name)")
      let value = try file.tensor("\(name).value").item()
      #expect(abs(loss.item() - value) <= Self.tolerance * max(1, abs(value)), "\(name)")
      let wanted = try file.tensor("\(name).gradient")
      let slope = gradient(of: loss, at: [leaf])[0]
      let scale = wanted.abs().amax().item()
      #expect(scale > 0, "\(name)")
      let worst = (slope - wanted).abs().amax().item()
      #expect(
        worst <= Self.tolerance * max(0.1, scale), "gradient of \(name): \(worst) of \(scale)")
    }
  }

  @Test("a lookup shows the palette's colours and lets gradients through")
  func lookup() throws {
    let file = try Self.file()
    let filter = LookupFilter(colors: try file.tensor("colors"))
    let leaf = try file.tensor("picture").variable()
    let (picture, _) = filter(leaf, iteration: nil)
    expectClose(picture, try file.tensor("lookup.picture"), atol: 1e-6)
    let weights = RandomStream(seed: 1, "weights").normal(picture.shape)
    let slope = gradient(of: (picture * weights).sum(), at: [leaf])[0]
    expectClose(slope, weights, atol: 0)
    let (again, loss) = filter(picture.detached(), iteration: nil)
    expectClose(again, picture, atol: 1e-6)
    #expect(try #require(loss).item() < 1e-10)
  }

  // methods.md, section 12.
  @Test("variation, range and excess give the published numbers")
  func vectors() {
    #expect(squaredVariation(Tensor([0, 1, 2, 4] as [Float], [1, 1, 2, 2])).item() == 4.5)
    let x = Tensor([-2, -0.5, 0, 1.5] as [Float], [1, 1, 2, 2])
    #expect(squaredExcess(x).item() == 0.3125)
    #expect(excess(x).item() == 0.375)
  }

  @Test("flat and grey pictures have gradients that are numbers")
  func degenerate() throws {
    let flat = Tensor.full([2, 3, 4, 4], 0.5).variable()
    let objectives: [any Objective] = [
      SmoothnessObjective(), SmoothnessObjective(kernel: 9), SaturationObjective(),
      PaletteObjective(colors: Tensor([0.5, 0.5, 0.5] as [Float], [1, 3])),
    ]
    for objective in objectives {
      let loss = try #require(objective.loss(Self.observation(cutouts: flat)))
      let slope = gradient(of: loss, at: [flat])[0].floats()
      #expect(slope.allSatisfy { $0.isFinite && abs($0) < 1e-3 }, "\(objective)")
    }
  }

  @Test("cutouts that perceptors share count once, and others add up")
  func sets() throws {
    let (a, b) = (RandomStream(seed: 1, "a").uniform([2, 3, 5, 5]), Tensor.ones([1, 3, 5, 5]))
    let objective = SmoothnessObjective()
    func loss(_ cutouts: [Tensor]) throws -> Double {
      let views = cutouts.map { Observation.Views(cutouts: $0, embeddings: $0) }
      return try #require(objective.loss(Observation(picture: a[0..<1], views: views))).item()
    }
    #expect(try loss([a, a]) == loss([a]))
    #expect(try abs(loss([a, b]) - loss([a]) - loss([b])) < 1e-6)
    #expect(try loss([]) == objective.loss(a[0..<1]).item())
  }
}

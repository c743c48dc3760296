import Diffusion
import Foundation
import TestSupport
import Testing
import Torch
import Weights

@testable import Imaging
@testable import Painting

/// Disco Diffusion's ways, against its own code by `Oracle/disco.py`.
@Suite struct DiscoTests {
  private static let originals = Result {
    try SafeTensors(
      contentsOf: Bundle.module.bundleURL.appending(path: "Fixtures/disco.safetensors"))
  }

  private func original(_ name: String) throws -> Tensor { try Self.originals.get().tensor(name) }

  /// Three numbers for each view, those of the whole having none.
  private func draws(_ shown: DangoViews, skipping: Int = 0) throws -> [[Double]] {
    let numbers = try original("uniform").floats().map(Double.init).dropFirst(skipping)
    return (0..<shown.overviews).map { _ in [] }
      + (0..<shown.squares).map { Array(numbers.dropFirst(3 * $0).prefix(3)) }
  }

  private func views(
    _ shown: DangoViews, of picture: Tensor, size: Int = 12, skipping: Int = 0
  ) throws -> Tensor {
    let cutouts = Cutouts(size: size, count: shown.count, mode: .dango, seed: 1)
    let look = cutouts.look(shown, try draws(shown, skipping: skipping), at: picture)
    return Cutouts.uncolored(shown.isGray).apply(look)
  }

  // MARK: Views

  @Test("Dango's cutouts are those of the same numbers", arguments: ["wide", "tall", "small"])
  func sameViews(_ name: String) throws {
    for overviews in [0, 1, 2, 3, 4, 6] {
      let shown = DangoViews(overviews: overviews, squares: 5, power: 0.5, gray: 0.2)
      expectClose(
        try views(shown, of: original(name)), try original("views.\(name).\(overviews)"),
        atol: 1e-4, "\(overviews)")
    }
    let small = DangoViews(overviews: 0, squares: 5, power: 3, gray: 0)
    expectClose(try views(small, of: original("wide")), try original("views.power"), atol: 1e-4)
  }

  @Test("their augmentations are torchvision's, once for all views", arguments: ["all", "gray"])
  func sameAugmentations(_ name: String) throws {
    let u = try original("augmented.\(name).numbers").floats().map(Double.init)
    let (order, noises) = (
      try original("augmented.\(name).order").ints(), try original("noises")
    )
    func done(_ kind: Augmentation.Kind, _ views: Tensor, _ u: ArraySlice<Double>) throws -> Tensor
    {
      try #require(SharedAugmentation(Augmentation(kind), size: 12)).apply(views, Array(u), order)
    }
    var views = try original("batch")
    views = try done(.flip, views, u[0..<1]) + noises[0] * 0.01
    views = try done(.affine, views, u[1..<4]) + noises[1] * 0.01
    views = try done(.grayscale, views, u[4..<5]) + noises[2] * 0.01
    views = try done(.jitter, views, u[5..<9])
    expectClose(views, try original("augmented.\(name)"), atol: 1e-4)
  }

  @Test("the notebook's shares are kept with any number of views, and its schedules over the way")
  func shares() throws {
    let usual = DangoSchedules.usual
    #expect(usual.views(at: 0) == DangoViews(overviews: 12, squares: 4, power: 1, gray: 0.2))
    #expect(usual.views(at: 0.3999).overviews == 12)
    #expect(usual.views(at: 0.4) == DangoViews(overviews: 4, squares: 12, power: 1, gray: 0))
    #expect(usual.views(at: 1, of: 8) == DangoViews(overviews: 2, squares: 6, power: 1, gray: 0))
    #expect(usual.views(at: 0, of: 1).overviews == 1)
    let none = DangoSchedules(overviews: 0, squares: 0, power: 1, gray: 0)
    #expect(none.views(at: 0.5).count == 1)
    var request = Request("fox")
    request.cutMode = .dango
    request.cutOverview = Schedule("[3]*500+[0]*500")
    let asked = try #require(try request.dango())
    #expect(asked.views(at: 0.2).count == 7 && asked.views(at: 0.9).overviews == 0)
    request.cutMode = .latest
    #expect(throws: RequestError.self) { try request.validate(in: .builtIn) }
  }

  @Test("a thousand steps of DDPM lie evenly on the way, to a hundredth")
  func way() {
    // Linear betas from 1e-4 to 0.02.
    var (product, worst) = (1.0, 0.0)
    for step in 0..<1000 {
      product *= 1 - (1e-4 + (0.02 - 1e-4) * Double(step) / 999)
      let level = NoiseLevel(
        t: 0, alpha: product.squareRoot(), sigma: (1 - product).squareRoot())
      worst = max(worst, abs(level.way - (1 - Double(step + 1) / 1000)))
    }
    #expect(worst < 0.01)
    #expect(NoiseLevel(t: 1).way == 0 && NoiseLevel.clean.way == 1)
  }

  // MARK: Steering

  /// Two linear towers that look at Dango's cutouts, as the oracle's do.
  private final class Critics: Objective {
    let test: DiscoTests
    let shown = DangoViews(overviews: 2, squares: 3, power: 0.7, gray: 0.4)
    var batch = 0
    var losses: [Double] = []

    init(_ test: DiscoTests) { self.test = test }

    func loss(_ observation: Observation) -> Tensor? {
      var losses: [Tensor] = []
      for (index, size) in [12, 10].enumerated() {
        let skipping = 3 * shown.squares * (2 * index + batch)
        guard
          let views = try? test.views(
            shown, of: observation.picture, size: size, skipping: skipping),
          let tower = try? test.original("step.tower.\(index)"),
          let targets = try? test.original("step.targets"),
          let weights = try? test.original("step.weights").floats().map(Double.init)
        else { return nil }
        let embeddings = views.reshaped(shown.count, -1).matmul(tower)
        let sum = abs(weights.reduce(0, +))
        let wished = weights.enumerated().map { target, weight in
          PromptObjective(targets[target..<target + 1], weight: weight / sum).loss(embeddings)
        }
        losses.append(wished.dropFirst().reduce(wished[0], +))
      }
      self.losses += losses.map { $0.item() }
      batch += 1
      return losses[0] + losses[1]
    }
  }

  @Test("a guided step sees, loses and pulls as Disco Diffusion's cond_fn")
  func sameStep() throws {
    let (scale, tv, sat, clamp) = (5000.0, 800.0, 300.0, 0.05)
    let (x, kernel) = (try original("step.x").variable(), try original("step.kernel"))
    let level = NoiseLevel(t: 0.5, alpha: 0.8, sigma: 0.6)
    let x0 = x.conv2d(kernel, padding: 1).tanh() * 1.5
    let found = NetworkDenoiser<Void>(.x0) { _, _ in x0 }
    let steering = Steering(look: .blended, clamp: clamp)
    let seen = steering.shown(try found(x, at: level), of: x, at: level)
    expectClose(seen.detached(), try original("step.seen"), atol: 1e-4)

    let critics = Critics(self)
    let guidance = Guidance(
      [
        .init(objective: critics, weight: 1),
        .init(objective: TotalVariationObjective(kind: .squared), weight: 16 * tv / scale),
        .init(objective: RangeObjective(isSquared: false), weight: sat / scale),
      ], total: 10, batches: 2)
    guidance.limitsColors = false
    let gradient = try guidance.gradient(at: x, of: (seen + 1) / 2, step: 3, way: 0.5)
    // The oracle asks one tower for all its batches first.
    let losses = [0, 2, 1, 3].map { critics.losses[$0] }
    for (own, other) in zip(losses, try original("step.losses").floats()) {
      #expect(abs(own - Double(other)) < 1e-4)
    }
    let wanted = -gradient.gradients[0]
    let expected = try original("step.gradient")
    let size = expected.abs().amax().item()
    expectClose(wanted * scale / size, expected / size, atol: 1e-4)
    let clamped = steering.limited(wanted, scale: scale) * scale
    let limit = try original("step.clamped").abs().amax().item()
    expectClose(clamped / limit, try original("step.clamped") / limit, atol: 1e-4)
    #expect(abs(clamped.square().mean().sqrt().item() - clamp) < 1e-5)
    // What is small enough is left alone.
    #expect(steering.limited(wanted, scale: 1e-9) === wanted)
  }

  @Test("the sample is made its own mirror image after a share of the steps")
  func symmetry() throws {
    let x = try original("step.x")
    for kind in [SampleSymmetry.Kind.horizontal, .both] {
      let mirrored = SampleSymmetry(kind: kind).applied(to: x)
      #expect(mirrored.floats() == (try original("mirrored.\(kind.rawValue)")).floats())
    }
    // An odd side keeps its middle.
    let odd = Tensor([1, 2, 3] as [Float], [1, 1, 1, 3])
    #expect(SampleSymmetry(kind: .horizontal).applied(to: odd).floats() == [1, 2, 1])
    let due = SampleSymmetry(kind: .vertical, shares: [0.09, 0.5])
    #expect((0..<250).filter { due.isDue($0, of: 250) } == [22, 124])
    #expect(!(0..<9).contains { SampleSymmetry(shares: [0.5]).isDue($0, of: 9) })
  }

  // MARK: Where it begins

  @Test(
    "Perlin noise is the notebook's of the same gradients",
    arguments: [("coarse", 5), ("fine", 3)])
  func perlin(_ name: String, _ octaves: Int) throws {
    let planes = try (0..<3).map { channel in
      DiscoPerlin.plane(
        try (0..<octaves).map { try original("perlin.\(name).\(channel * octaves + $0)") },
        width: 11, height: 7)
    }
    expectClose(stacked(planes), try original("perlin.\(name)"), atol: 1e-4)
  }

  @Test(
    "its three kinds have the colours that they are named for",
    arguments: [(StartPicture.disco, true), (.discoColor, true), (.discoGray, false)])
  func kinds(_ kind: StartPicture, isColored: Bool) {
    let picture = kind.tensor(width: 40, height: 24, from: RandomStream(seed: 1, "x"))
    #expect(picture.shape == [1, 3, 24, 40])
    #expect(picture.amin().item() >= 0 && picture.amax().item() <= 1)
    let difference = picture.narrowed(1, 0, 1) - picture.narrowed(1, 1, 1)
    #expect((difference.abs().amax().item() > 0.05) == isColored)
  }

  // MARK: What is said

  @Test(
    "schedules are read as Disco Diffusion writes them",
    arguments: [
      ("[12]*400+[4]*600", "12*400,4*600"), (" [.2] * 400 + [0]*600 ", "0.2*400,0*600"),
      ("[1]*1000", "1"), ("[1, 1, 1, 2.5]", "1*3,2.5*1"), ("0: (1), 10: (1.05)", "0:1,10:1.05"),
      ("0:(0)", "0:0"),
    ])
  func schedules(_ text: String, _ plain: String) throws {
    #expect(Schedule(text) == Schedule(plain) && Schedule(plain) != nil)
  }

  @Test(
    "what is no such schedule is none",
    arguments: [
      "[12]*400+", "[12]*0", "[]*3", "[1,2]*3", "[a]*3", "12]*4", "[1]*400-[2]*3", "[nan]*2",
      "[1]*99999999", "0: (1", "[[1]]*3",
    ])
  func noSchedules(_ text: String) {
    #expect(Schedule(text) == nil)
  }

  @Test("weights become shares of their sum where that is asked for")
  func normalized() throws {
    var request = Request("a fox:3 | snow | rain:-2 ^ sun:5")
    request.promptWeights = .normalized
    #expect(try request.scenes().map { $0.map(\.weight) } == [[1.5, 0.5, -1], [1]])
    request.promptWeights = .given
    #expect(try request.scenes()[0].map(\.weight) == [3, 1, -2])
    request.prompt = "a fox | snow:-1"
    #expect(throws: Never.self) { try request.scenes() }
    request.promptWeights = .normalized
    #expect(throws: RequestError.self) { try request.scenes() }
  }
}

import TestSupport
import Testing
import Torch

@testable import Diffusion

/// Whole ways from noise to picture against v-diffusion-pytorch, k-diffusion, guided-diffusion and Karlo, by
/// `Oracle/trajectories.py`. What stands for the network is a function that both sides evaluate.
@Suite("Samplers and denoisers")
struct TrajectoryTests {
  /// All is float64, but v-diffusion's networks are told times in float32, which the first steps, with an
  /// alpha of 0.006, divide by.
  static let tolerance = 1e-4

  private let fixture: Fixture

  init() throws { fixture = try Fixture("trajectories") }

  // MARK: The networks

  private static func planes(_ t: Tensor, _ x: Tensor) -> Tensor {
    t.to(x.dtype).reshaped([-1] + Array(repeating: 1, count: x.rank - 1))
  }

  private static func velocity(_ x: Tensor, _ t: Tensor, _ c: Tensor? = nil) -> Tensor {
    let v = (x * 3).sin() * planes(t, x) - x * 0.5
    return c.map { v + $0 * x.cos() } ?? v
  }

  private static func noise(_ x: Tensor, _ t: Tensor, _ c: Tensor? = nil) -> Tensor {
    let u = planes(t, x) / 1000
    let eps = (x * 3).sin() * (1 - u) * 0.2 + x * u.sqrt()
    return c.map { eps + $0 * (1 - u) * x.cos() } ?? eps
  }

  private static func noiseAndVariance(_ x: Tensor, _ t: Tensor, _ c: Tensor? = nil) -> Tensor {
    concatenated([noise(x, t, c), (x + planes(t, x) / 1000 - 0.5).tanh()], over: 1)
  }

  private static func picture(_ x: Tensor, _ t: Tensor, _ c: Tensor) -> Tensor {
    (x * (2 - planes(t, x) / 1000)).tanh() + c * 0.1
  }

  private let v = NetworkDenoiser<Void>(.v) { velocity($0, $1) }
  private let eps = NetworkDenoiser<Void>(.eps) { noise($0, $1) }
  private let learned = NetworkDenoiser<Void>(.epsAndVariance) { noiseAndVariance($0, $1) }

  /// A network that is told a number for each picture.
  private static func told(
    _ prediction: Prediction, _ conds: [([Double], Double)], rank: Int = 4,
    _ network: @escaping (Tensor, Tensor, Tensor) -> Tensor
  ) -> any Denoiser {
    func rows(_ numbers: [Double]) -> Tensor {
      let shape = [2] + Array(repeating: 1, count: rank - 1)
      return Tensor(numbers.map(Float.init), shape).to(.float64)
    }
    return NetworkDenoiser(
      prediction, conds: conds.map { (cond: rows($0.0), weight: $0.1) }, null: rows([0, 0])
    ) { network($0, $1, concatenated($2, over: 0)) }
  }

  private static func loss(_ picture: Tensor) -> Tensor { (picture - 0.3).square().sum() }

  /// The gradient of the loss of what was found at `x`, downwards.
  private let down: CondFn = { x, _, found in -gradient(of: loss(found.x0), at: [x])[0] }

  // MARK: The ways

  private static let spliced = ContinuousSchedule.spliced.levels(10)
  private static func linear(_ text: String = "10") throws -> [NoiseLevel] {
    try DiscreteSchedule.linear().levels(Respacing(text).timesteps(of: 1000))
  }

  private func expect(
    _ name: String, _ sampler: any Sampler, _ levels: [NoiseLevel], _ denoiser: any Denoiser,
    from start: Tensor? = nil, atol: Double = tolerance,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let noises = try fixture("noises")
    let start = try start ?? fixture("start")
    func like(_ noise: Tensor) -> Tensor {
      noise.reshaped(2, -1).narrowed(1, 0, start.count / 2).reshaped(start.shape)
    }
    var sampler = sampler
    let found = try sampler.sample(like(start), levels, with: denoiser) { like(noises[$0]) }
    try expectClose(found, fixture(name), atol: atol, name, sourceLocation: sourceLocation)
  }

  @Test(
    "Samplers arrive where v-diffusion's do",
    arguments: [
      ("v.ddim", "ddim", 0), ("v.eta", "ddim", 0.7), ("v.prk", "prk", 0), ("v.pie", "pie", 0),
      ("v.plms", "plms", 0), ("v.plms2", "plms2", 0), ("v.iplms", "iplms", 0),
      ("v.heun", "heun", 0),
    ])
  func velocities(name: String, sampler: String, eta: Double) throws {
    try expect(
      name, #require(SamplerKind.named(sampler)).make(eta), Self.spliced, v)
  }

  @Test("DDIM finds the noise that gives a picture")
  func reversed() throws {
    try expect(
      "v.reverse", DDIM(), Self.spliced.reversed(), v, from: fixture("picture"))
  }

  @Test("Steps of a network that predicts noise are guided-diffusion's")
  func noises() throws {
    let learned = self.learned.thresholded(.static(1))
    try expect("eps.ddpm", DDPM(), Self.linear(), learned)
    try expect("eps.ddpm.small", DDPM(), Self.linear(), eps)
    try expect("eps.ddpm.large", DDPM(variance: .large), Self.linear(), eps)
    let rescaled = try DiscreteSchedule.linear(900).levels(
      Respacing("ddim10").timesteps(of: 900), rescaled: true)
    try expect("eps.ddim", DDIM(eta: 0.8), rescaled, learned)
    try expect("eps.heun", Heun(), Self.linear(), self.learned)
  }

  @Test("A noised picture is taken up as in guided-diffusion")
  func begun() throws {
    let levels = Array(try Self.linear().dropFirst(4))
    let start = try levels[0].noised(fixture("picture"), with: fixture("start"))
    try expect("eps.begun", DDIM(), levels, learned, from: start)
  }

  @Test("Guidance through the network is v-diffusion's")
  func steeredVelocity() throws {
    try expect("v.guided", DDIM(eta: 0.7), Self.spliced, v.guided(0.05, by: down))
  }

  @Test("Guidance through the network is guided-diffusion's")
  func steeredNoise() throws {
    let (learned, eps) = (self.learned.guided(0.05, by: down), self.eps.guided(0.05, by: down))
    try expect("guided.ddim", DDIM(eta: 0.8), Self.linear(), learned)
    try expect("guided.ddpm", DDPM(), Self.linear(), learned)
    try expect("guided.ddpm.small", DDPM(), Self.linear(), eps)
    try expect("guided.ddpm.large", DDPM(variance: .large), Self.linear(), eps)
    for order in 2...4 {
      try expect("guided.plms.\(order)", GuidedPLMS(order: order), Self.linear(), learned)
    }
  }

  @Test("Guidance by what looks at the noised picture, or through a secondary model")
  func steeredElsewhere() throws {
    let direct = learned.guided(through: .direct) { x, level, found in
      #expect(!found.x0.requiresGrad)
      return (0.6 - 2 * x) * (level.t / 1000)
    }
    try expect("guided.direct", DDPM(), Self.linear(), direct)
    let secondary = learned.guided(0.05, through: .secondary(v), by: down)
    try expect("guided.secondary", DDIM(), Self.linear(), secondary)
  }

  @Test("Two guides are as one whose gradient is their sum")
  func steeredTwice() throws {
    let half: CondFn = { x, _, _ in (0.3 - x) * 0.5 }
    func way(_ sampler: any Sampler, _ denoiser: any Denoiser) throws -> Tensor {
      var sampler = sampler
      let start = try fixture("start")
      return try sampler.sample(start, Self.linear(), with: denoiser) { _ in start }
    }
    for sampler in [DDPM(), DDIM()] as [any Sampler] {
      let once = try way(sampler, eps.guided(2, through: .direct, by: half))
      let twice = eps.guided(through: .direct, by: half).guided(through: .direct, by: half)
      try expectClose(way(sampler, twice), once, atol: 1e-9)
      try #expect((once - way(sampler, eps)).abs().amax().item() > 0.01)
    }
  }

  @Test("Several conditions are mixed as by v-diffusion's cfg_sample.py")
  func composed() throws {
    let conds = [([0.3, 0.3], 3.0), ([-0.2, -0.2], -1.5)]
    try expect("v.composed", DDIM(), Self.spliced, Self.told(.v, conds, Self.velocity))
  }

  @Test("Classifier-free guidance is Karlo's, of its decoder and of its prior")
  func classifierFree() throws {
    let levels = try DiscreteSchedule.squaredCosine().levels(Respacing("10").timesteps(of: 1000))
    let decoder = Self.told(.epsAndVariance, [([0.3, 0.7], 3)], Self.noiseAndVariance)
    let name = "karlo.decoder"
    try expect(name, DDPM(), levels, decoder.thresholded(.static(1)), atol: 1e-3)
    let prior = Self.told(.x0, [([0.3, 0.7], 4)], rank: 2, Self.picture)
    try expect(
      "karlo.prior", DDPM(), levels, prior.thresholded(.static(10)),
      from: fixture("start").reshaped(2, -1).narrowed(1, 0, 6))
  }

  @Test("What does not count is not asked for")
  func uncounted() throws {
    var asked: [Int] = []
    func found(_ weight: Double) throws {
      let denoiser = NetworkDenoiser(.v, conds: [(cond: 1, weight: weight)], null: 0) {
        asked += $2
        return $0
      }
      _ = try denoiser(Tensor.ones([1, 1]), at: .clean)
    }
    try found(1)
    #expect(asked == [1])
    try found(0)
    #expect(asked == [1, 0])
    try found(3)
    #expect(asked == [1, 0, 0, 1])
  }

  @Test("Dynamic thresholds are those of diffusers")
  func dynamic() throws {
    try expectClose(
      Threshold.dynamic(0.9)(fixture("threshold.of")), fixture("threshold.dynamic"), atol: 1e-7)
  }

  @Test("A threshold keeps picture, noise and velocity in step")
  func inStep() throws {
    let x = try fixture("start")
    let level = NoiseLevel(t: 0.7)
    for denoiser in [v, eps] {
      let found = try denoiser.thresholded(.static(0.2))(x, at: level)
      #expect(found.x0.abs().amax().item() == 0.2)
      expectClose(level.noised(found.x0, with: found.eps), x, atol: 1e-12)
      if let v = found.v {
        expectClose(found.eps * level.alpha - found.x0 * level.sigma, v, atol: 1e-12)
      }
    }
    #expect(try v.thresholded(.static(0.2))(x, at: level).v != nil)
  }

  @Test("A sampler that was stopped goes on to the bit", arguments: SamplerKind.all.map(\.name))
  func resumed(name: String) throws {
    let kind = try #require(SamplerKind.named(name))
    let noises = try fixture("noises")
    func denoise(_ x: Tensor, _ level: NoiseLevel) throws -> Denoised { try v(x, at: level) }
    var x = try fixture("start")
    var sampler = kind.make(0.5)
    var kept: (x: Tensor, state: [String: Tensor])?
    func go(_ range: Range<Int>) throws {
      for index in range {
        x = try sampler.step(x, index, of: Self.spliced, denoise: denoise) { noises[index] }
      }
    }
    try go(0..<5)
    kept = (x, sampler.state)
    try go(5..<10)
    let whole = x
    (sampler, x) = (kind.make(0.5), try #require(kept).x)
    sampler.state = try #require(kept).state
    try go(5..<10)
    #expect((x - whole).abs().amax().item() == 0)
  }
}

import Models
import Testing
import Torch

@testable import Painting

@Suite struct StartObjectiveTests {
  // methods.md, section 12: 1 / (2 (2 i + 1)), the half being the loss's.
  @Test(
    "a decay falls as published",
    arguments: [(0, 0.5), (1, 0.1667), (10, 0.02381), (100, 0.002488)]
  )
  func decay(iteration: Int, expected: Double) throws {
    let objective = StartObjective(.zero, .decay)
    let observation = Observation(
      picture: Tensor.zeros([1, 3, 2, 2]), latent: Tensor.ones([1, 4]), iteration: iteration)
    #expect(
      abs(try #require(objective.loss(observation)).item() - expected) < 1e-4 * expected + 5e-5)
  }

  // The notebook's 1.5, 1.2, .9, .6 and then, which its rounding leaves out, .3.
  @Test(
    "steps fall to zero after the last",
    arguments: [
      (0, 1.5), (49, 1.5), (50, 1.2), (100, 0.9), (150, 0.6), (199, 0.6), (200, 0.3), (249, 0.3),
      (250, 0), (10_000, 0),
    ])
  func steps(iteration: Int, expected: Double) {
    let schedule = StartObjective.Schedule.steps(every: 50, count: 5)
    #expect(abs(1.5 * schedule.factor(iteration) - expected) < 1e-12)
  }

  @Test("the beginning is remembered, and a run that is taken up again keeps to the same")
  func memory() throws {
    let stream = RandomStream(seed: 1, "latents")
    let (first, later) = (stream.normal([1, 4, 2, 2]), stream.normal([1, 4, 2, 2]))
    let picture = Tensor.zeros([1, 3, 4, 4])
    let objective = StartObjective(.latent)
    #expect(try #require(objective.loss(Observation(picture: picture, latent: first))).item() == 0)
    let observation = Observation(picture: picture, latent: later, iteration: 7)
    let loss = try #require(objective.loss(observation)).item()
    #expect(abs(loss - (later - first).square().mean().item() / 2) < 1e-6)

    let resumed = StartObjective(.latent)
    resumed.memory = objective.memory
    #expect(try #require(resumed.loss(observation)).item() == loss)
    #expect(try #require(StartObjective(.latent).loss(observation)).item() == 0)
  }

  @Test("what is remembered does not follow a latent that is changed in place")
  func copies() throws {
    let latent = Tensor.zeros([1, 4]).variable()
    let objective = StartObjective(.latent)
    let observation = Observation(picture: Tensor.zeros([1, 3, 2, 2]), latent: latent)
    _ = objective.loss(observation)
    noGrad { latent.assign(Tensor.ones([1, 4])) }
    #expect(try #require(objective.loss(observation)).item() == 0.5)
  }

  @Test("pixels are held to the picture to begin from, where it has the picture's size")
  func pixels() throws {
    let initial = Tensor.full([1, 3, 4, 4], 0.25)
    func loss(_ size: Int) throws -> Double {
      let objective = StartObjective(.pixels, initial: initial)
      return try #require(objective.loss(Observation(picture: Tensor.ones([1, 3, size, size]))))
        .item()
    }
    #expect(try loss(4) == 0.375)
    #expect(try loss(6) == 0)
  }

  @Test("a drawer without a latent is held to its picture")
  func withoutLatent() throws {
    let objective = StartObjective(.zero)
    let observation = Observation(picture: Tensor.ones([1, 3, 2, 2]))
    #expect(try #require(objective.loss(observation)).item() == 0.5)
  }

  @Test("nothing is asked once a schedule has reached zero, but the beginning stays known")
  func finished() {
    let objective = StartObjective(.latent, .steps(every: 1, count: 1))
    let observation = Observation(
      picture: Tensor.zeros([1, 3, 2, 2]), latent: Tensor.ones([1, 4]), iteration: 1)
    #expect(objective.loss(observation) == nil)
    #expect(objective.memory["start"]?.floats() == [1, 1, 1, 1])
  }

  @Test("LPIPS measures from the picture to begin from, or from the first one")
  func lpips() throws {
    let trunk = VGG16(Parameters(Initializer(seed: 2)))
    let likeness = StartObjective.Likeness(measure: LPIPS(Parameters(Initializer(seed: 1)))) {
      trunk($0, layers: $1)
    }
    let (first, later) = (
      RandomStream(seed: 1, "pictures").uniform([1, 3, 32, 32]),
      RandomStream(seed: 2, "pictures").uniform([1, 3, 32, 32])
    )
    func features(_ picture: Tensor) -> [Tensor] {
      likeness.measure.features(picture, likeness.trunk)
    }
    let expected = likeness.measure(features(later), features(first)).item()
    #expect(expected > 0)
    let begun = StartObjective(.lpips, initial: first, likeness: likeness)
    let x = later.variable()
    let loss = try #require(begun.loss(Observation(picture: x)))
    #expect(abs(loss.item() - expected) < 1e-6 * max(1, expected))
    #expect(gradient(of: loss, at: [x])[0].abs().sum().item() > 0)
    let own = StartObjective(.lpips, likeness: likeness)
    #expect(try #require(own.loss(Observation(picture: first))).item() == 0)
    #expect(
      abs(try #require(own.loss(Observation(picture: later))).item() - expected)
        < 1e-6 * max(1, expected))
  }
}

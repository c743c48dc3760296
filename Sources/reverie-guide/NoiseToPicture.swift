import Diffusion
import Imaging
import Models
import Torch

/// The way from noise to a picture with the pack's diffusion model, which draws latents of its VQGAN.
struct NoiseToPicture {
  let network: VDiffusion
  let vqgan: VQGAN
  var schedule = ContinuousSchedule.spliced

  /// A place on the way.
  struct Step {
    /// What is there: latents and noise, `[1, C, h, w]`.
    let x: Tensor
    /// The latents that the network takes to be under the noise.
    let x0: Tensor
    /// How much noise there is.
    let level: NoiseLevel
  }

  /// - Parameters:
  ///   - told: CLIP's embeddings of what is wanted, of length one, and how strongly each is followed.
  ///   - seed: of the noise.
  /// - Returns: every step, and what there is at the end.
  func callAsFunction(_ told: [(embedding: Tensor, scale: Double)], seed: UInt64, steps: Int) throws
    -> (
      way: [Step], end: Tensor
    )
  {
    let nothing = Tensor.zeros([1, network.config.condition?.embedding ?? 0])
    let denoiser = NetworkDenoiser(
      .v, conds: told.map { (cond: $0.embedding, weight: $0.scale) }, null: nothing
    ) { x, t, conds in network(x, time: t, embeddings: concatenated(conds, over: 0)) }
    let (levels, side) = (schedule.levels(steps), network.config.size)
    var sampler = DDIM()
    var x = RandomStream(seed: seed, "first noise").normal([1, network.config.channels, side, side])
    var way: [Step] = []
    for index in 0..<steps {
      let before = x
      x = try noGrad {
        try sampler.step(x, index, of: levels) { x, level in
          let found = try denoiser(x, at: level)
          way.append(Step(x: before, x0: found.x0, level: level))
          return found
        } noise: {
          Tensor.zeros(x.shape)
        }
      }
    }
    return (way, x)
  }

  /// The picture of latents, large enough to be looked at.
  func shown(_ latents: Tensor) throws -> Picture {
    let picture = try Picture(noGrad { (vqgan.decode(latents) + 1) / 2 })
    return try picture.resized(width: 96, height: 96)
  }
}

extension Workshop {
  /// The way of the pack's own network.
  func noiseToPicture() throws -> NoiseToPicture {
    NoiseToPicture(network: try network(), vqgan: vqgan)
  }
}

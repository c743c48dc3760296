import Diffusion
import Models
import Torch

extension UnCLIPPrior {
  /// Finds the embedding of a picture that a text is of, from noise: DDPM in few steps of a thousand, as Karlo
  /// samples its prior.
  /// - Parameters:
  ///   - text: `B` texts.
  ///   - null: what it was told for nothing, one text: the empty one.
  ///   - scale: how strongly the text is followed; Karlo's is 4.
  ///   - steps: Karlo's are 25.
  ///   - bound: of the numbers found on the way, before their mean and deviation are put back; Karlo's is 10.
  ///   - stream: of the noise.
  /// - Returns: `[B, E]`, with mean and deviation put back where the file has them.
  public func sample(
    _ text: PriorText, null: PriorText, scale: Double, steps: Int = 25, bound: Double = 10,
    stream: RandomStream
  ) throws -> Tensor {
    let count = text.embedding.size(0)
    let device = text.embedding.device
    let schedule = DiscreteSchedule.squaredCosine()
    let levels = schedule.levels(
      try Respacing.sections([steps]).timesteps(of: schedule.alphasCumprod.count))
    let nothing = null.repeated(count)
    let denoiser = NetworkDenoiser(.x0, conds: [(cond: text, weight: scale)], null: nothing) {
      x, t, told in self(x, timesteps: t, text: PriorText(told))
    }.thresholded(.static(bound))
    var sampler = DDPM()
    let shape = [count, config.clip_dim]
    let found = try noGrad {
      try sampler.sample(stream.normal(shape).to(device), levels, with: denoiser) { _ in
        stream.normal(shape).to(device)
      }
    }
    return statistics.map { found * $0.clip_std + $0.clip_mean } ?? found
  }
}

extension PriorText {
  /// Several, one behind another.
  init(_ all: [PriorText]) {
    self.init(
      embedding: concatenated(all.map(\.embedding), over: 0),
      encoding: concatenated(all.map(\.encoding), over: 0),
      mask: concatenated(all.map(\.mask), over: 0))
  }

  /// One text, for each of so many rows.
  func repeated(_ count: Int) -> PriorText {
    PriorText(Array(repeating: self, count: count))
  }
}

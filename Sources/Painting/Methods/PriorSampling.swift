import Diffusion
import Models
import Torch

// How the priors of unCLIP are sampled: in few steps of a thousand, as Karlo does it.

/// A network that finds CLIP's embedding of a picture from its text by diffusion.
protocol EmbeddingPrior {
  /// Numbers of an embedding.
  var width: Int { get }
  /// The network, told a text.
  /// - Parameters:
  ///   - text: `B` texts.
  ///   - null: what it is told for nothing, `B` texts.
  ///   - scale: how strongly the text is followed.
  func denoiser(_ text: PriorText, null: PriorText, scale: Double) -> any Denoiser
}

extension EmbeddingPrior {
  /// The levels of so many steps.
  static func levels(_ steps: Int) throws -> [NoiseLevel] {
    let schedule = DiscreteSchedule.squaredCosine()
    return schedule.levels(
      try Respacing.sections([steps]).timesteps(of: schedule.alphasCumprod.count))
  }
}

extension UnCLIPPrior: EmbeddingPrior {
  /// Of the numbers found on the way, before their mean and deviation are put back: Karlo's.
  private static let bound = 10.0

  var width: Int { config.clip_dim }

  func denoiser(_ text: PriorText, null: PriorText, scale: Double) -> any Denoiser {
    NetworkDenoiser(.x0, conds: [(cond: text, weight: scale)], null: null) {
      x, t, told in self(x, timesteps: t, text: PriorText(told))
    }.thresholded(.static(Self.bound))
  }

  /// Finds the embedding of a picture that a text is of, from noise: DDPM in few steps of a thousand, as Karlo
  /// samples its prior.
  /// - Parameters:
  ///   - text: `B` texts.
  ///   - null: what it was told for nothing, one text: the empty one.
  ///   - scale: how strongly the text is followed; Karlo's is 4.
  ///   - steps: Karlo's are 25.
  ///   - stream: of the noise.
  /// - Returns: `[B, E]`, with mean and deviation put back where the file has them.
  public func sample(
    _ text: PriorText, null: PriorText, scale: Double, steps: Int = 25, stream: RandomStream
  ) throws -> Tensor {
    let (shape, device) = ([text.embedding.size(0), config.clip_dim], text.embedding.device)
    var sampler = DDPM()
    let found = try noGrad {
      try sampler.sample(
        stream.normal(shape).to(device), Self.levels(steps),
        with: denoiser(text, null: null.repeated(shape[0]), scale: scale)
      ) { _ in stream.normal(shape).to(device) }
    }
    return statistics.map { found * $0.clip_std + $0.clip_mean } ?? found
  }
}

extension DiffusionPrior: EmbeddingPrior {
  var width: Int { config.dim }

  /// Nothing is what it learnt for that, not the empty text; and texts' embeddings are of length one.
  func denoiser(_ text: PriorText, null: PriorText, scale: Double) -> any Denoiser {
    var told = text
    told.embedding = text.embedding.normalized()
    return NetworkDenoiser(.x0, conds: [(cond: told, weight: scale)], null: PriorText?.none) {
      x, t, told in
      let (x, t) = (x.chunks(told.count, over: 0), t.to(.int64).chunks(told.count, over: 0))
      return concatenated(
        told.indices.map { self(x[$0], timesteps: t[$0], text: told[$0]) }, over: 0)
    }
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

  /// What lies between single texts: their embeddings on the sphere, what is made of their tokens by shares.
  static func between(_ texts: [(text: PriorText, share: Double)]) -> PriorText {
    guard texts.count > 1 else { return texts[0].text }
    let sum = texts.reduce(0) { $0 + $1.share }
    let encodings = texts.map { $0.text.encoding * ($0.share / sum) }
    return PriorText(
      embedding: spherical(texts.map { ($0.text.embedding, $0.share) }),
      encoding: encodings.dropFirst().reduce(encodings[0], +),
      mask: concatenated(texts.map(\.text.mask), over: 0).amax(over: [0], keepDims: true))
  }
}

import Diffusion
import Models
import Torch

// The stages of unCLIP, as Karlo samples them.

/// What a prior looks for, and how.
struct PriorWay {
  let text: PriorText
  let null: PriorText
  let scale: Double
  let steps: Int
  let samples: Int
}

/// The prior: from a text to the embedding of a picture, beside those of earlier texts and pictures.
final class PriorStage<Prior: EmbeddingPrior>: CascadeStage {
  let name = "prior"
  let levels: [NoiseLevel]
  let shape: [Int]
  let madeShape: [Int]
  private let network: StageNetwork<Prior>
  private let way: PriorWay
  private let embedding: (Prior, Tensor) throws -> Tensor

  /// - Parameters:
  ///   - width: of the embeddings.
  ///   - before: embeddings that there are before its own.
  ///   - embedding: CLIP's embeddings of what the prior has found.
  init(
    _ network: StageNetwork<Prior>, _ way: PriorWay, width: Int, before: Int = 0,
    embedding: @escaping (Prior, Tensor) throws -> Tensor
  ) throws {
    (self.network, self.way, self.embedding) = (network, way, embedding)
    levels = try Prior.levels(way.steps)
    shape = [way.samples, width]
    madeShape = [before + 1, width]
  }

  var sampler: any Sampler { DDPM() }

  func denoiser(after earlier: Tensor?) throws -> any Denoiser {
    try network.open().denoiser(
      way.text.repeated(way.samples), null: way.null.repeated(way.samples), scale: way.scale)
  }

  /// `[K + 1, E]`: of the samples the one nearest to the text.
  func made(_ x: Tensor, after earlier: Tensor?) throws -> Tensor {
    let found = try embedding(network.open(), x)
    let scores = (found.normalized() * way.text.embedding.normalized()).sum(over: [1])
    let best = scores.argmax(over: 0).ints()[0]
    let chosen = found[best..<best + 1]
    return earlier.map { concatenated([$0, chosen], over: 0) } ?? chosen
  }

  func picture(_ x: Tensor) -> Tensor? { nil }
  func release() { network.release() }
}

/// Karlo's decoder: from an embedding and a text to a small picture.
final class UnCLIPDecoderStage: CascadeStage {
  let name = "decoder"
  let levels: [NoiseLevel]
  let shape: [Int]
  private let network: StageNetwork<UnCLIPDecoder>
  private let scale: Double
  private let text: PriorText
  private let null: PriorText
  private let told: (Tensor) -> Tensor

  /// - Parameters:
  ///   - text: beside the embedding.
  ///   - null: what stands for no text.
  ///   - told: the embedding `[1, E]` of all those that there are, `[K, E]`.
  init(
    _ network: StageNetwork<UnCLIPDecoder>, side: Int, scale: Double, steps: Int, text: PriorText,
    null: PriorText, told: @escaping (Tensor) -> Tensor
  ) throws {
    (self.network, self.scale, self.told) = (network, scale, told)
    (self.text, self.null) = (text, null)
    let schedule = DiscreteSchedule.squaredCosine()
    levels = schedule.levels(
      try Respacing.sections([steps]).timesteps(of: schedule.alphasCumprod.count))
    shape = [1, 3, side, side]
  }

  var sampler: any Sampler { DDPM() }

  func denoiser(after earlier: Tensor?) throws -> any Denoiser {
    let network = try network.open()
    let cond = network.read(picture: earlier.map(told), text: text)
    return NetworkDenoiser(
      .epsAndVariance, conds: [(cond: cond, weight: scale)],
      null: network.read(picture: nil, text: null)
    ) { x, t, told in
      network(x, timesteps: t, told: .init(told))
    }.thresholded(.static(1))
  }

  func made(_ x: Tensor, after earlier: Tensor?) throws -> Tensor { x.clamped(-1, 1) }
  func release() { network.release() }
}

/// Karlo's super-resolution: seven steps, the last by a network of its own.
final class UnCLIPUpsamplerStage: CascadeStage {
  let name = "upsampler"
  let levels: [NoiseLevel]
  let shape: [Int]
  private let network: StageNetwork<UnCLIPUpsampler>

  /// What it was trained for.
  private static let steps = 7

  init(_ network: StageNetwork<UnCLIPUpsampler>, side: Int) throws {
    self.network = network
    let schedule = DiscreteSchedule.squaredCosine()
    levels = schedule.levels(
      try Respacing.sections([Self.steps]).timesteps(of: schedule.alphasCumprod.count))
    shape = [1, 3, side, side]
  }

  var sampler: any Sampler { DDPM() }

  func denoiser(after earlier: Tensor?) throws -> any Denoiser {
    let network = try network.open()
    let large =
      earlier?.resampled(shape[2], shape[3], .bicubic, antialias: true) ?? Tensor.zeros(shape)
    let last = levels[levels.count - 2].t
    return LeveledDenoiser { level in
      NetworkDenoiser(.eps) { x, t in
        network(x, timesteps: t, large: large, isLast: level.t == last)
      }
    }.thresholded(.static(1))
  }

  func release() { network.release() }
}

/// A denoiser that is another one at other levels.
private struct LeveledDenoiser: Denoiser {
  let at: (NoiseLevel) -> any Denoiser

  func callAsFunction(_ x: Tensor, at level: NoiseLevel) throws -> Denoised {
    let denoiser = at(level)
    return try denoiser(x, at: level)
  }
}

/// The pack's diffusion model, which is told embeddings of length one and draws a VQGAN's latents.
final class PackDecoderStage: CascadeStage {
  let name = "decoder"
  let levels: [NoiseLevel]
  let shape: [Int]
  private let model: DiffusionModel
  private let scale: Double
  private let text: Tensor?
  private let told: (Tensor) -> Tensor

  /// - Parameters:
  ///   - text: a text's embedding of length one, `[1, E]`, that it is told as well, as Karlo's decoder is; nil for
  ///     none.
  ///   - told: the embedding `[1, E]` of all those that there are, `[K, E]`.
  init(
    _ networks: Networks, scale: Double, steps: Int, text: Tensor?,
    told: @escaping (Tensor) -> Tensor
  ) throws {
    let own = try DiffusionModel.ofPack(networks)
    model = own.model
    (self.scale, self.text, self.told) = (scale, text, told)
    levels = try model.network.levels(steps, from: 1)
    shape = [1, own.config.channels, own.config.size, own.config.size]
  }

  var sampler: any Sampler { DDIM() }

  func denoiser(after earlier: Tensor?) throws -> any Denoiser {
    let scene = earlier.map { embeddings in
      let all = [told(embeddings).normalized(), text].compactMap(\.self)
      return Conditioning(
        embeddings: concatenated(all, over: 0),
        scales: all.map { _ in scale / Double(all.count) })
    }
    return model.network.denoiser(scene, step: 0)
  }

  func picture(_ x: Tensor) -> Tensor? { model.picture(x) }
  /// Small networks are kept for the next painting.
  func release() {}
}

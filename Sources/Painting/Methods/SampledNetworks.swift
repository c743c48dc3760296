import Diffusion
import Models
import Torch

/// A diffusion network, and what makes pictures of what it draws.
struct DiffusionModel {
  let network: any SampledNetwork
  /// Decodes the latents that it draws; nil when it draws pictures.
  let decoder: VQGAN?

  /// A picture `[1, 3, H, W]`, 0…1 or a little outside.
  func picture(_ x: Tensor) -> Tensor { ((decoder?.decode(x) ?? x) + 1) / 2 }

  /// What the network would have drawn for a picture of 0…1.
  func encoded(_ picture: Tensor) -> Tensor {
    let x = picture * 2 - 1
    return decoder?.encode(x) ?? x
  }
}

extension DiffusionModel {
  /// The pack's own, and what tells its sizes.
  static func ofPack(
    _ networks: Networks
  ) throws -> (model: DiffusionModel, config: VDiffusion.Config) {
    let network = try networks.network(VDiffusion.self)
    let model = DiffusionModel(
      network: ContinuousNetwork(network: network, schedule: .spliced),
      decoder: try networks.network(VQGAN.self))
    return (model, network.config)
  }
}

/// What a diffusion network is conditioned on in a scene: embeddings `[N, E]`, and how strongly each is
/// followed.
struct Conditioning {
  let embeddings: Tensor
  let scales: [Double]
}

/// A network that goes from noise to a picture: the levels that it knows, and how it is told what is wanted.
protocol SampledNetwork {
  /// Channels of what it draws.
  var channels: Int { get }
  /// Whether it is shown the picture to begin from; otherwise it begins from that, noised.
  var showsBeginning: Bool { get }

  /// The levels of so many steps and, last, the clean one.
  /// - Parameter start: v-diffusion's time to begin at; 1 is pure noise.
  /// - Throws: `DiffusionError`.
  func levels(_ steps: Int, from start: Double) throws -> [NoiseLevel]

  /// It, told what is wanted.
  /// - Parameters:
  ///   - scene: what it is told of the prompts; nil where that is nothing.
  ///   - step: counted from 0.
  func denoiser(_ scene: Conditioning?, step: Int) -> any Denoiser
}

extension SampledNetwork {
  var showsBeginning: Bool { false }
}

/// A network of v-diffusion, which all prompts may be told.
struct ContinuousNetwork: SampledNetwork {
  let network: VDiffusion
  let schedule: ContinuousSchedule

  var channels: Int { network.config.channels }

  func levels(_ steps: Int, from start: Double) -> [NoiseLevel] {
    schedule.levels(steps, from: start)
  }

  func denoiser(_ scene: Conditioning?, step: Int) -> any Denoiser {
    guard let condition = network.config.condition else {
      return NetworkDenoiser(.v) { network($0, time: $1, embeddings: nil) }
    }
    let conds = (scene?.scales ?? []).enumerated().map { index, scale in
      (cond: scene?.embeddings[index..<index + 1], weight: scale)
    }
    return NetworkDenoiser(.v, conds: conds, null: nil) { x, time, told in
      let nothing = Tensor.zeros([1, condition.embedding], device: x.device)
      return network(
        x, time: time, embeddings: concatenated(told.map { $0 ?? nothing }, over: 0))
    }
  }
}

/// A network of guided-diffusion, which is told a class at most.
struct DiscreteNetwork: SampledNetwork {
  let network: GuidedDiffusion
  /// The timesteps of a thousand to stop at; nil for as many as there are steps, evenly apart.
  var respacing: Respacing?
  /// The class that it is told, where it knows classes; nil for another one in each step
  /// (`randomize_class`).
  var chosen: Int?
  /// What it enlarges, `[1, 3, h, w]` in -1…1, where it enlarges.
  var small: Tensor?
  let seed: UInt64

  var channels: Int { network.config.channels }
  var showsBeginning: Bool { network.config.smallSize != nil }

  /// As many timesteps of about a thousand as steps lie evenly among, of which the network is told
  /// thousandths of the way: Disco Diffusion's `diffusion_steps` and `ddimN`.
  func levels(_ steps: Int, from start: Double) throws -> [NoiseLevel] {
    let count = respacing == nil ? max(1, 1000 / steps) * steps : 1000
    let schedule: DiscreteSchedule =
      switch network.config.betas {
      case .linear: .linear(count)
      case .cosine: .squaredCosine(count)
      }
    let timesteps =
      try respacing?.timesteps(of: count)
      ?? (steps > 1 ? Respacing.ddim(steps).timesteps(of: count) : [count - 1])
    let all = schedule.levels(timesteps, rescaled: true)
    let begun = start < 1 ? all.drop { $0.continuous.t > start } : all[...]
    return begun.count > 1 ? Array(begun) : all.suffix(2)
  }

  func denoiser(_ scene: Conditioning?, step: Int) -> any Denoiser {
    let classes = network.config.classes.map { count in
      chosen ?? RandomStream(seed: seed, "class \(step)").integers(below: count, [1]).ints()[0]
    }
    return NetworkDenoiser(network.config.learnsVariance ? .epsAndVariance : .eps) { x, t in
      network(
        x, timesteps: t,
        classes: classes.map { Tensor(Array(repeating: $0, count: x.size(0)), [x.size(0)]) }?
          .to(x.device), small: small)
    }
  }
}

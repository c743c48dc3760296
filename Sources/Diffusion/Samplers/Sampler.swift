import Torch

/// Goes from noise to a picture, level by level.
public protocol Sampler {
  /// Goes from `levels[index]` to `levels[index + 1]`.
  /// - Parameters:
  ///   - x: at the first of the two, `[B, C, H, W]` or `[B, C]`.
  ///   - levels: from noise to picture, the last one clean.
  ///   - denoise: asked at the first level, and where the sampler looks ahead at others.
  ///   - noise: standard normal noise of the shape of `x`, asked for where it is wanted.
  /// - Returns: `x` at the second level; after the last step, the picture.
  mutating func step(
    _ x: Tensor, _ index: Int, of levels: [NoiseLevel],
    denoise: (Tensor, NoiseLevel) throws -> Denoised, noise: () -> Tensor
  ) throws -> Tensor

  /// What it must remember from step to step; empty for most.
  var state: [String: Tensor] { get set }
}

extension Sampler {
  /// Nothing.
  public var state: [String: Tensor] {
    get { [:] }
    set {}
  }

  /// All steps.
  /// - Parameter noise: that of a step, where it is wanted.
  /// - Returns: the picture.
  public mutating func sample(
    _ x: Tensor, _ levels: [NoiseLevel], with denoiser: any Denoiser, noise: (Int) -> Tensor
  ) throws -> Tensor {
    var x = x
    for index in 0..<levels.count - 1 {
      x = try step(
        x, index, of: levels, denoise: { try denoiser($0, at: $1) }, noise: { noise(index) })
    }
    return x
  }
}

/// A way to take steps, by name.
public struct SamplerKind: Sendable {
  /// What it is asked for by.
  public let name: String
  /// What it is, in half a line.
  public let help: String
  /// The sampler at the beginning of its way; `eta` is the part of the noise that is drawn anew in each
  /// step, for those that can choose.
  public let make: @Sendable (_ eta: Double) -> any Sampler

  /// All of them, the one to take without reason for another first.
  public static let all = [
    SamplerKind(name: "ddim", help: "one evaluation a step; draws noise anew by eta") {
      DDIM(eta: $0)
    },
    SamplerKind(name: "ddpm", help: "draws noise anew in each step and wants many") { _ in DDPM() },
    SamplerKind(name: "iplms", help: "multistep of up to fourth order; needs fewer steps") { _ in
      IPLMS()
    },
    SamplerKind(name: "plms", help: "multistep of fourth order, begun by three steps of prk") { _ in
      PLMS()
    },
    SamplerKind(name: "plms2", help: "multistep of second order, begun by a step of pie") { _ in
      PLMS2()
    },
    SamplerKind(name: "guided-plms", help: "multistep of second order as Disco Diffusion has it") {
      _ in GuidedPLMS()
    },
    SamplerKind(name: "prk", help: "fourth order by four evaluations a step") { _ in PRK() },
    SamplerKind(name: "pie", help: "second order by two evaluations a step") { _ in PIE() },
    SamplerKind(name: "heun", help: "as pie, but one evaluation in the last step") { _ in Heun() },
  ]

  /// The one of this name.
  public static func named(_ name: String) -> SamplerKind? { all.first { $0.name == name } }
}

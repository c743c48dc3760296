import Torch

/// The gradient at `x` of the logarithm of the probability of what is wanted, or minus that of a loss.
///
/// `x` has a gradient wanted; `denoised` is what the denoiser that guides found there, with history where
/// the gradient goes through it.
public typealias CondFn = (_ x: Tensor, _ level: NoiseLevel, _ denoised: Denoised) throws -> Tensor

/// What the gradient of guidance goes through.
public enum GuidancePath {
  /// The guided network: it knows best, and its whole history is kept.
  case network
  /// Another, usually much smaller, denoiser whose picture is looked at instead: Disco Diffusion's
  /// secondary model. It is asked at the level as v-diffusion's time tells it.
  case secondary(any Denoiser)
  /// None: the gradient is that of something which looks at `x` itself, such as a classifier of noised
  /// pictures.
  case direct
}

/// A denoiser that is steered by a gradient.
///
/// ```
/// eps' = eps - scale sigma grad        x0' = x0 + scale sigma² / alpha grad
/// ```
///
/// (Dhariwal & Nichol, "Diffusion Models Beat GANs on Image Synthesis", 2021, algorithm 2): the
/// `condition_score` of openai/guided-diffusion and `make_cond_model_fn` of crowsonkb/v-diffusion-pytorch
/// and k-diffusion, which are one. `DDPM` takes the gradient as algorithm 1 does instead.
public struct Guided: Denoiser {
  let base: any Denoiser
  let path: GuidancePath
  let scale: Double
  let condFn: CondFn

  /// See `Denoiser`.
  public func callAsFunction(_ x: Tensor, at level: NoiseLevel) throws -> Denoised {
    let leaf = x.variable()
    let found: Denoised
    let seen: Denoised
    switch path {
    case .network:
      seen = try base(leaf, at: level)
      found = seen
    case .secondary(let other):
      found = try base(leaf.detached(), at: level)
      seen = try other(leaf, at: level.continuous)
    case .direct:
      found = try base(leaf.detached(), at: level)
      seen = found
    }
    let grad = try condFn(leaf, level, seen)
    return noGrad {
      found.detached().guided(by: grad.detached(), scale, of: leaf.detached(), at: level)
    }
  }
}

extension Denoised {
  func guided(by grad: Tensor, _ scale: Double, of x: Tensor, at level: NoiseLevel) -> Denoised {
    var guided: Denoised
    if let v {
      // In pure noise no picture can be steered yet.
      guard level.alpha > 1e-3 else { return self }
      guided = Denoised(v: v - grad * (scale * level.sigma / level.alpha), of: x, at: level)
    } else {
      guided = Denoised(eps: eps - grad * (scale * level.sigma), of: x, at: level)
    }
    guided.variance = variance
    let scaled = grad * scale
    guided.guidance = Guidance(
      x0: guidance?.x0 ?? x0, grad: (guidance?.grad).map { $0 + scaled } ?? scaled)
    return guided
  }
}

extension Denoiser {
  /// This denoiser steered by a gradient.
  /// - Parameters:
  ///   - scale: what the gradient is multiplied by.
  ///   - path: what the gradient goes through.
  ///   - condFn: finds it, and is asked at every level.
  public func guided(
    _ scale: Double = 1, through path: GuidancePath = .network, by condFn: @escaping CondFn
  ) -> Guided {
    Guided(base: self, path: path, scale: scale, condFn: condFn)
  }
}

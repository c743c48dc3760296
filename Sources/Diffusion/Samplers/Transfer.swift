import Torch

// What the multistep samplers share: each finds an eps better than that of its place alone and goes along
// it (Liu, Ren, Lin & Zhao, "Pseudo Numerical Methods for Diffusion Models on Manifolds", 2022, equation
// 11).

/// Goes along `eps` from one level to another: `transfer` of v-diffusion.
/// - Parameter found: what was found at `x`.
func transfer(
  _ x: Tensor, _ eps: Tensor, _ found: Denoised, from: NoiseLevel, to: NoiseLevel
) -> Tensor {
  // In pure noise there is no picture to divide out; what was found there has one of its own.
  let x0 = from.alpha > 1e-6 ? (x - eps * from.sigma) / from.alpha : found.x0
  return x0 * to.alpha + eps * to.sigma
}

/// The eps of the linear multistep method (Adams & Bashforth) of as many, at most four, as there are.
/// - Parameter all: the newest last.
func adamsBashforth(_ all: [Tensor]) -> Tensor {
  let weights: [Double] =
    switch all.count {
    case 1: [1]
    case 2: [-0.5, 1.5]
    case 3: [5.0 / 12, -16.0 / 12, 23.0 / 12]
    default: [-9.0 / 24, 37.0 / 24, -59.0 / 24, 55.0 / 24]
    }
  let parts = zip(all.suffix(4), weights).map { $0 * $1 }
  return parts.dropFirst().reduce(parts[0], +)
}

/// What a sampler remembers of earlier steps, under the names that runs have always kept it by.
extension [Tensor] {
  var remembered: [String: Tensor] {
    Dictionary(uniqueKeysWithValues: enumerated().map { ("earlier.\($0)", $1) })
  }

  init(remembered: [String: Tensor]) {
    self = (0..<remembered.count).compactMap { remembered["earlier.\($0)"] }
  }
}

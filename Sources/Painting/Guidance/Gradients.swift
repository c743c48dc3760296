import Torch

/// The gradient that passes a clamp of `x` to a range: zero where a step down would push an element
/// that is outside still further out, unchanged elsewhere (`ClampWithGrad` of Crowson's notebooks).
///
/// The forward half is `x.clamped(low, high)`; a loop that takes the gradient at the clamped picture
/// applies this and pulls the result further back.
/// - Parameters:
///   - gradient: of the loss at the clamped values.
///   - x: the values before the clamp.
public func clampedGradient(_ gradient: Tensor, at x: Tensor, _ low: Double, _ high: Double)
  -> Tensor
{
  noGrad {
    let outside = x - x.clamped(low, high)
    return gradient.filled(where: (gradient * outside).less(than: 0), with: 0)
  }
}

/// The values of `forward` with the gradient going to `backward` (`ReplaceGrad` of Crowson's
/// notebooks).
public func replacingGradient(_ forward: Tensor, _ backward: Tensor) -> Tensor {
  forward.detached().straightThrough(to: backward)
}

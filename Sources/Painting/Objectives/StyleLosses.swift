import Torch

// The losses of STROTSS (Kolkin, Salavon & Shakhnarovich, "Style Transfer by Relaxed Optimal Transport
// and Self-Similarity", 2019), of feature vectors at some positions, a row for each.

/// One minus the cosine between each row of `x` `[N, D]` and each of `y` `[M, D]`: `[N, M]`.
func cosineDistances(_ x: Tensor, _ y: Tensor) -> Tensor {
  1 - x.normalized().matmul(y.normalized().transposed())
}

/// The root mean squared difference between each row of `x` `[N, D]` and each of `y` `[M, D]`: `[N, M]`.
func euclideanDistances(_ x: Tensor, _ y: Tensor) -> Tensor {
  let lengths = x.square().sum(over: [1], keepDims: true) + y.square().sum(over: [1])  // [N, M]
  let squared = lengths - x.matmul(y.transposed()) * 2
  return (squared.clamped(1e-5, 1e5) / Double(x.size(1))).sqrt()
}

/// How differently the rows of `x` and of `y` (both `[N, D]`) lie to each other: the mean difference of
/// their tables of cosine distances. The original scales the tables' columns to sum 1; pixray does not.
func selfSimilarityLoss(_ x: Tensor, _ y: Tensor) -> Tensor {
  (cosineDistances(x, x) - cosineDistances(y, y)).abs().mean()
}

/// The earth mover's distance without one of its two constraints, the larger of both choices.
/// - Parameter distances: `[N, M]`
func relaxedEarthMover(_ distances: Tensor) -> Tensor {
  distances.amin(over: [1]).mean().maximum(distances.amin(over: [0]).mean())
}

/// Mean difference of the means plus mean difference of the covariances.
/// - Parameters:
///   - x: `[N, D]`
///   - y: `[M, D]`
func momentLoss(_ x: Tensor, _ y: Tensor) -> Tensor {
  let (meanX, meanY) = (x.mean(over: [0], keepDims: true), y.mean(over: [0], keepDims: true))
  func covariance(_ centred: Tensor) -> Tensor {
    centred.transposed().matmul(centred) / Double(centred.size(0) - 1)
  }
  return (meanX - meanY).abs().mean()
    + (covariance(x - meanX) - covariance(y - meanY)).abs().mean()
}

/// The relaxed earth mover's distance of colours, by angle and by length in decorrelated colour.
/// - Parameters:
///   - x: `[N, 3]`
///   - y: `[M, 3]`
func paletteLoss(_ x: Tensor, _ y: Tensor) -> Tensor {
  let rows: [Float] = [
    0.577350, 0.577350, 0.577350, -0.577350, 0.788675, -0.211325, -0.577350, -0.211325, 0.788675,
  ]
  let turn = Tensor(rows, [3, 3]).to(x.device)
  let (a, b) = (x.linear(turn), y.linear(turn))
  return relaxedEarthMover(cosineDistances(a, b) + euclideanDistances(a, b))
}

/// Content and style together:
///
/// ```
/// (w content + REMD + moments + palette / max(w, 1)) / (w + 2)
/// ```
/// - Parameters:
///   - x: features of the picture, `[N, D]`, the first three being its colour.
///   - content: features of the content at the same positions, `[N, D]`.
///   - style: features of the style at some positions, `[M, D]`.
///   - weight: of the content; nothing is kept of it at 0.
func styleLoss(_ x: Tensor, content: Tensor?, style: Tensor, weight: Double) -> Tensor {
  var loss = relaxedEarthMover(cosineDistances(x, style)) + momentLoss(x, style)
  loss = loss + paletteLoss(x.narrowed(1, 0, 3), style.narrowed(1, 0, 3)) / max(weight, 1)
  guard let content, weight > 0 else { return loss / 2 }
  return (selfSimilarityLoss(x, content) * weight + loss) / (weight + 2)
}

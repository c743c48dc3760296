import Torch

/// The colour of a table that is nearest to each pixel, without history.
/// - Parameters:
///   - pixels: `[P, 3]`
///   - colors: `[K, 3]`
/// - Returns: `[P, 3]`
func nearestColors(to pixels: Tensor, among colors: Tensor) -> Tensor {
  noGrad {
    let lengths = colors.square().sum(over: [1])  // [K]
    let count = pixels.size(0)
    // In blocks: all distances at once would take K numbers for every pixel.
    let block = max(1, (1 << 22) / colors.size(0))
    let chosen = stride(from: 0, to: count, by: block).map { start in
      let part = pixels.narrowed(0, start, min(block, count - start))
      // Squared distances less |pixel|², which is the same for all colours.
      return (lengths - part.matmul(colors.transposed()) * 2).argmin(over: 1)
    }
    return colors.embedding(concatenated(chosen, over: 0))
  }
}

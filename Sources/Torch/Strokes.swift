import CTorch

/// Polylines painted in order over a paper, anti-aliased, with gradients at all four tensors.
///
/// How much of a pixel is covered is a smooth step, a little more than a pixel wide, of how far its
/// centre lies from the edge; overlapping parts of one stroke count once. The result does not depend
/// on the number of threads.
/// - Parameters:
///   - vertices: `[S, M, 2]`, in pixels from the upper left corner, x first.
///   - radii: half the widths in pixels, `[S]`; they do not count for filled outlines.
///   - colors: `[S, 4]` in 0…1, alpha last and straight.
///   - paper: `[3]`.
///   - filled: whether the lines are closed and filled by the even-odd rule; otherwise they are open
///     and have round caps and joins.
/// - Returns: `[1, 3, H, W]`; float32 or float64 as all of the tensors, which are on the CPU.
public func paintedStrokes(
  _ vertices: Tensor, radii: Tensor, colors: Tensor, paper: Tensor, width: Int, height: Int,
  filled: Bool = false
) -> Tensor {
  make("paint_strokes", [vertices, radii, colors, paper]) {
    ct_paint_strokes(
      vertices.handle, radii.handle, colors.handle, paper.handle, Int64(height), Int64(width),
      filled, $0)
  }
}

import Torch

/// The picture with the lowest smoothed loss: views are drawn at random, and a single loss says
/// little.
struct BestPicture {
  /// The numbers, without the picture.
  struct Numbers: Codable, Equatable {
    var smoothed = 0.0
    var weight = 0.0
    var lowest: Double?
    /// The iteration that was the best.
    var iteration: Int?

    /// The mean of about the last ten losses.
    var mean: Double { weight > 0 ? smoothed / weight : .infinity }
  }

  /// The weight of nine losses.
  private static let enough = 0.6

  var numbers = Numbers()
  /// `[1, 3, H, W]`
  var picture: Tensor?
  /// The parameters that drew it, where shapes are drawn; else none.
  var shapes: [Tensor] = []

  /// Takes note of a loss; keeps the picture when it is the best so far.
  mutating func note(
    _ loss: Double, iteration: Int, shapes: [Tensor] = [], _ picture: () -> Tensor
  ) {
    numbers.smoothed = 0.9 * numbers.smoothed + 0.1 * loss
    numbers.weight = 0.9 * numbers.weight + 0.1
    // The mean of a few is chance still: until there are enough, the latest picture stands in.
    if numbers.weight > Self.enough {
      let mean = numbers.mean
      if let lowest = numbers.lowest, mean >= lowest, self.picture != nil { return }
      numbers.lowest = mean
    }
    numbers.iteration = iteration
    self.picture = picture()
    self.shapes = shapes.map { $0.detached().cloned() }
  }
}

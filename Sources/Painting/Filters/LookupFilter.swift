import Torch

extension FilterKind {
  static let lookup = FilterKind(
    "lookup", "gives every pixel the nearest colour of a palette",
    arguments: [
      .text(
        "colors", "the palette, as in [red,#0044ff] (sixteen colours of pixel art if left out)"),
      .file("file", "a picture or an Adobe table whose colours are meant; @file in colors"),
      .number("beta", 0...1_000, default: 10, "how strongly colours are drawn to the palette"),
    ]
  ) { context in
    LookupFilter(
      colors: try context.palette("colors") ?? LookupFilter.defaultColors.to(context.device),
      beta: context.number("beta"))
  }
}

/// Gives every pixel `z` the nearest colour `q` of a palette, with the gradient going straight through,
/// and adds the loss of a vector quantiser with a fixed codebook (pixray's `lookup`; van den Oord et
/// al., "Neural Discrete Representation Learning", 2017):
///
/// ```
/// β mean((sg[q] - z)²) + mean((q - sg[z])²)
/// ```
struct LookupFilter: Filter {
  /// `[K, 3]` in 0…1.
  let colors: Tensor
  var beta = 10.0

  func callAsFunction(_ picture: Tensor, iteration: Int?) -> (picture: Tensor, loss: Tensor?) {
    let (height, width) = (picture.size(2), picture.size(3))
    let nearest = nearestColors(to: picture.pixelRows, among: colors)
      .reshaped(-1, height, width, 3).permuted(0, 3, 1, 2)
    let pull = (nearest - picture).square().mean() * beta
    let distance = (nearest - picture.detached()).square().mean()
    return (replacingGradient(nearest, picture), pull + distance)
  }

  /// pixray's own table; it names its light orange twice.
  static var defaultColors: Tensor {
    let values: [Float] = [
      0, 0, 0, 255, 255, 255, 63, 40, 50, 38, 43, 68, 90, 105, 136, 139, 155, 180, 25, 60, 62,
      38, 92, 66, 62, 137, 72, 99, 199, 77, 254, 231, 97, 254, 174, 52, 254, 174, 52, 247, 118, 34,
      184, 111, 80, 116, 63, 57,
    ]
    return Tensor(values, [16, 3]) / 255
  }
}

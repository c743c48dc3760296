import Torch

/// The discriminator of PatchGAN (Isola et al., "Image-to-Image Translation with Conditional
/// Adversarial Networks", 2017): says of each patch how real it looks. Only trainings need it.
///
/// Follows `NLayerDiscriminator` of taming/modules/discriminator/model.py of
/// CompVis/taming-transformers at 3ba01b2, with group norms in place of batch norms: they do not mix
/// real and painted pictures, and keep no statistics.
public struct PatchDiscriminator {
  let convolutions: [Conv2d]
  let norms: [GroupNorm]

  /// The network with parameters at `p`.
  /// - Parameters:
  ///   - width: channels of the first layer, doubled by each that follows up to eightfold.
  ///   - layers: layers that halve the picture.
  public init(_ p: Parameters, width: Int, layers: Int) {
    let widths = (0...layers).map { width * min(1 << $0, 8) }
    convolutions =
      widths.indices.map { i in
        Conv2d(
          p / "main" / i, i == 0 ? 3 : widths[i - 1], widths[i], kernel: 4,
          stride: i < layers ? 2 : 1, padding: 1)
      } + [Conv2d(p / "main" / widths.count, widths[layers], 1, kernel: 4, padding: 1)]
    norms = widths.indices.dropFirst().map { GroupNorm(p / "norms" / ($0 - 1), 8, widths[$0]) }
  }

  /// Pictures `[B, 3, H, W]` in -1…1 to one score for each patch, `[B, 1, h, w]` float32.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    var h = convolutions[0](x.contiguous(channelsLast: true)).leakyReLU(0.2)
    for (convolution, norm) in zip(convolutions.dropFirst(), norms) {
      h = norm(convolution(h)).leakyReLU(0.2)
    }
    return convolutions[convolutions.count - 1](h).to(.float32)
  }
}

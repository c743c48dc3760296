import Torch

/// A discriminator of AttnGAN: says of a picture how real it looks, and how well it goes with a text. Only
/// trainings need it.
///
/// Follows `D_NET64`, `D_NET128` and `D_NET256` of `code/model.py` of taoxugit/AttnGAN at 0d000e6, with group
/// norms in place of batch norms, and without the logistic function at the end: it is for a hinge loss.
public struct AttnGANCritic {
  private let down: [Conv2d]
  private let norms: [GroupNorm]
  private let narrow: Conv2d
  private let joint: Conv2d
  private let unconditional: Conv2d
  private let conditional: Conv2d

  /// The network with parameters at `p`.
  /// - Parameters:
  ///   - width: channels of the first layer, doubled by each that halves the picture, up to eightfold.
  ///   - size: side of the pictures, a power of two from 16 on.
  ///   - embedding: numbers of a text's reading.
  public init(_ p: Parameters, width: Int, size: Int, embedding: Int) {
    let count = size.trailingZeroBitCount - 2
    let widths = (0..<count).map { width << min($0, 3) }
    let last = widths[count - 1]
    down = widths.indices.map { i in
      Conv2d(
        p / "down" / i, i == 0 ? 3 : widths[i - 1], widths[i], kernel: 4, stride: 2, padding: 1)
    }
    norms = widths.indices.dropFirst().map { GroupNorm(p / "norms" / ($0 - 1), 8, widths[$0]) }
    narrow = Conv2d(p / "narrow", last, last)
    joint = Conv2d(p / "joint", last + embedding, last)
    unconditional = Conv2d(p / "unconditional", last, 1, kernel: 4, padding: 0)
    conditional = Conv2d(p / "conditional", last, 1, kernel: 4, padding: 0)
  }

  /// Pictures `[B, 3, S, S]` in -1…1 to their features, `[B, 8 W, 4, 4]`.
  public func features(_ pictures: Tensor) -> Tensor {
    var h = down[0](pictures.contiguous(channelsLast: true)).leakyReLU(0.2)
    for (convolution, norm) in zip(down.dropFirst(), norms) {
      h = norm(convolution(h)).leakyReLU(0.2)
    }
    return narrow(h).leakyReLU(0.2)
  }

  /// How real pictures of these features look, `[B]`.
  public func realness(_ features: Tensor) -> Tensor {
    unconditional(features).reshaped(-1).to(.float32)
  }

  /// How well pictures of these features go with texts `[B, E]`, `[B]`.
  public func fitness(_ features: Tensor, _ sentence: Tensor) -> Tensor {
    let spread = sentence.unsqueezed(-1).unsqueezed(-1).expanded([-1, -1, 4, 4])
    let h = joint(concatenated([features, spread.to(features.dtype)], over: 1)).leakyReLU(0.2)
    return conditional(h).reshaped(-1).to(.float32)
  }
}

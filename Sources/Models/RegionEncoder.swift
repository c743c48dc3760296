import Torch

/// A small image encoder for DAMSM: regions of a picture, and the whole. Only trainings need it, where
/// AttnGAN's own, an Inception-v3, would be larger than all that is trained.
public struct RegionEncoder {
  /// The shape of the network.
  public struct Config: Codable, Sendable, Hashable {
    /// Channels behind the first layer, doubled by each that follows, up to eightfold.
    public var width: Int
    /// Side of the pictures that it sees, in pixels.
    public var size: Int

    /// A configuration; see the fields.
    public init(width: Int = 48, size: Int = 64) { (self.width, self.size) = (width, size) }

    /// Why these sizes make no network; nil when they do.
    public var problem: String? {
      guard (8...1024).contains(width), width % 8 == 0 else {
        return "'width' must be a multiple of 8 up to 1024"
      }
      return [32, 64, 128].contains(size) ? nil : "'size' must be 32, 64 or 128"
    }
  }

  /// The shape of this network.
  public let config: Config
  private let stem: Conv2d
  private let layers: [(norm: GroupNorm, convolution: Conv2d)]
  private let regions: Conv2d
  private let whole: Linear

  /// The network with parameters at `p`.
  /// - Parameter embedding: numbers of a region's and of a picture's embedding.
  public init(_ p: Parameters, _ config: Config, embedding: Int) {
    self.config = config
    let widths = [1, 2, 4, 4, 8, 8].map { $0 * config.width }
    stem = Conv2d(p / "stem", 3, widths[0])
    layers = widths.indices.dropFirst().map { i in
      // The first, the second and the fourth halve the picture, with those behind the stem and the regions.
      let stride = i == 3 || i == 5 ? 1 : 2
      return (
        GroupNorm(p / "norms" / (i - 1), 8, widths[i - 1]),
        Conv2d(p / "convolutions" / (i - 1), widths[i - 1], widths[i], stride: stride)
      )
    }
    regions = Conv2d(p / "regions", widths[3], embedding, kernel: 1, bias: false)
    whole = Linear(p / "whole", widths[5], embedding)
  }

  /// What is seen of pictures.
  /// - Parameter pictures: `[B, 3, H, W]` in -1…1.
  /// - Returns: of regions a quarter as many along each axis as it sees pixels, `[B, E, h, w]`, and of the
  ///   whole, `[B, E]`, float32.
  public func callAsFunction(_ pictures: Tensor) -> (regions: Tensor, whole: Tensor) {
    let side = config.size
    var x = pictures
    if x.size(2) != side { x = x.resampled(side, side, antialias: x.size(2) > side) }
    x = stem(x.contiguous(channelsLast: true))
    var middle = x
    for (index, layer) in layers.enumerated() {
      x = layer.convolution(layer.norm(x).leakyReLU(0.1))
      if index == 2 { middle = x }  // [B, 4 W, S / 4, S / 4]
    }
    return (
      regions(middle).to(.float32), whole(x.leakyReLU(0.1).mean(over: [2, 3])).to(.float32)
    )
  }
}

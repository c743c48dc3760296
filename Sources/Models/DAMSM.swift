import Torch
import Weights

/// The image encoder of AttnGAN's DAMSM, which says how well words and a picture go together: Inception-v3
/// (Szegedy et al. 2016) with a projection of its regions and of the whole.
///
/// Follows `CNN_ENCODER` of `code/model.py` of taoxugit/AttnGAN at 0d000e6 and torchvision's
/// `inception.py`, keys verbatim. Difference: the norms are multiplied into the convolutions while loading.
public struct DAMSMImageEncoder {
  /// The shape of the network.
  public struct Config: Codable, Sendable, Hashable {
    /// Numbers of a region's and of a picture's embedding.
    public var width: Int

    /// A configuration; what is left out is that of the published networks.
    public init(width: Int = 256) { self.width = width }
  }

  /// The shape of this network.
  public let config: Config
  private let stem: [InceptionConv]
  private let blocks: [InceptionBlock]
  private let emb_features: Tensor
  private let emb_cnn_code: Linear

  /// The network with parameters at `p`.
  public init(_ p: Parameters, _ config: Config = .init()) {
    self.config = config
    emb_cnn_code = Linear(p / "emb_cnn_code", 2048, config.width, initial: .uniform(0.1))
    emb_features = (p / "emb_features")("weight", [config.width, 768, 1, 1], .uniform(0.1))
    let dtype = emb_cnn_code.weight.dtype
    func conv(
      _ name: String, _ inputs: Int, _ outputs: Int, _ kernel: (Int, Int), stride: Int = 1,
      padding: (Int, Int) = (0, 0)
    ) -> InceptionConv {
      InceptionConv(p / name, inputs, outputs, kernel, stride: stride, padding: padding, dtype)
    }
    stem = [
      conv("Conv2d_1a_3x3", 3, 32, (3, 3), stride: 2), conv("Conv2d_2a_3x3", 32, 32, (3, 3)),
      conv("Conv2d_2b_3x3", 32, 64, (3, 3), padding: (1, 1)),
      conv("Conv2d_3b_1x1", 64, 80, (1, 1)), conv("Conv2d_4a_3x3", 80, 192, (3, 3)),
    ]
    typealias Branch = InceptionBlock.Branch
    func block(_ name: String, _ inputs: Int, _ branches: [Branch]) -> InceptionBlock {
      InceptionBlock(p / name, inputs, branches, dtype)
    }
    /// 35 x 35.
    func a(_ name: String, _ inputs: Int, pool: Int) -> InceptionBlock {
      block(
        name, inputs,
        [
          .chain([("branch1x1", 64, (1, 1))]),
          .chain([("branch5x5_1", 48, (1, 1)), ("branch5x5_2", 64, (5, 5))]),
          .chain([
            ("branch3x3dbl_1", 64, (1, 1)), ("branch3x3dbl_2", 96, (3, 3)),
            ("branch3x3dbl_3", 96, (3, 3)),
          ]),
          .pooled("branch_pool", pool),
        ])
    }
    /// 17 x 17.
    func c(_ name: String, _ inner: Int) -> InceptionBlock {
      block(
        name, 768,
        [
          .chain([("branch1x1", 192, (1, 1))]),
          .chain([
            ("branch7x7_1", inner, (1, 1)), ("branch7x7_2", inner, (1, 7)),
            ("branch7x7_3", 192, (7, 1)),
          ]),
          .chain([
            ("branch7x7dbl_1", inner, (1, 1)), ("branch7x7dbl_2", inner, (7, 1)),
            ("branch7x7dbl_3", inner, (1, 7)), ("branch7x7dbl_4", inner, (7, 1)),
            ("branch7x7dbl_5", 192, (1, 7)),
          ]),
          .pooled("branch_pool", 192),
        ])
    }
    /// 8 x 8.
    func e(_ name: String, _ inputs: Int) -> InceptionBlock {
      block(
        name, inputs,
        [
          .chain([("branch1x1", 320, (1, 1))]),
          .forked([("branch3x3_1", 384, (1, 1))], "branch3x3_2"),
          .forked(
            [("branch3x3dbl_1", 448, (1, 1)), ("branch3x3dbl_2", 384, (3, 3))], "branch3x3dbl_3"),
          .pooled("branch_pool", 192),
        ])
    }
    blocks = [
      a("Mixed_5b", 192, pool: 32), a("Mixed_5c", 256, pool: 64), a("Mixed_5d", 288, pool: 64),
      block(
        "Mixed_6a", 288,
        [
          .halving([("branch3x3", 384, (3, 3))]),
          .halving([
            ("branch3x3dbl_1", 64, (1, 1)), ("branch3x3dbl_2", 96, (3, 3)),
            ("branch3x3dbl_3", 96, (3, 3)),
          ]), .largest,
        ]),
      c("Mixed_6b", 128), c("Mixed_6c", 160), c("Mixed_6d", 160), c("Mixed_6e", 192),
      block(
        "Mixed_7a", 768,
        [
          .halving([("branch3x3_1", 192, (1, 1)), ("branch3x3_2", 320, (3, 3))]),
          .halving([
            ("branch7x7x3_1", 192, (1, 1)), ("branch7x7x3_2", 192, (1, 7)),
            ("branch7x7x3_3", 192, (7, 1)), ("branch7x7x3_4", 192, (3, 3)),
          ]), .largest,
        ]),
      e("Mixed_7b", 1280), e("Mixed_7c", 2048),
    ]
  }

  /// What is seen of pictures.
  /// - Parameter pictures: `[B, 3, H, W]` in -1…1.
  /// - Returns: of 17 x 17 regions, `[B, E, 17, 17]`, and of the whole, `[B, E]`, float32.
  public func callAsFunction(_ pictures: Tensor) -> (regions: Tensor, whole: Tensor) {
    var x = pictures.resampled(299, 299, .bilinear).to(emb_cnn_code.weight.dtype)
    x = stem[..<3].reduce(x) { $1($0) }.maxPooled(3, stride: 2)  // [B, 64, 73, 73]
    x = stem[3...].reduce(x) { $1($0) }.maxPooled(3, stride: 2)  // [B, 192, 35, 35]
    let regions = blocks[..<8].reduce(x) { $1($0) }  // [B, 768, 17, 17]
    x = blocks[8...].reduce(regions) { $1($0) }  // [B, 2048, 8, 8]
    return (
      regions.conv2d(emb_features).to(.float32), emb_cnn_code(x.mean(over: [2, 3])).to(.float32)
    )
  }
}

/// A convolution without bias, a batch norm and a rectifier.
private struct InceptionConv {
  let weight: Tensor, bias: Tensor
  let stride: Int
  let padding: (Int, Int)

  init(
    _ p: Parameters, _ inputs: Int, _ outputs: Int, _ kernel: (Int, Int), stride: Int = 1,
    padding: (Int, Int), _ dtype: DType
  ) {
    (self.stride, self.padding) = (stride, padding)
    let whole = (p / "conv")(
      "weight", [outputs, inputs, kernel.0, kernel.1], .kaimingUniform, .precise)
    func bn(_ name: String, _ initial: Initial) -> Tensor {
      (p / "bn")(name, [outputs], initial, .precise)
    }
    let gain = bn("weight", .ones) * (bn("running_var", .ones) + 1e-3).rsqrt()
    weight = (whole * gain.reshaped(-1, 1, 1, 1)).to(dtype)
    bias = (bn("bias", .zeros) - bn("running_mean", .zeros) * gain).to(dtype)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    guard padding.0 != padding.1 else {
      return x.conv2d(weight, bias, stride: stride, padding: padding.0).relu()
    }
    let wide = x.padded([padding.1, padding.1, padding.0, padding.0])
    return wide.conv2d(weight, bias, stride: stride).relu()
  }
}

/// Branches whose channels are joined.
private struct InceptionBlock {
  typealias Layer = (name: String, outputs: Int, kernel: (Int, Int))

  enum Branch {
    /// Convolutions that keep the size.
    case chain([Layer])
    /// The same, of which the last halves the size.
    case halving([Layer])
    /// Convolutions, behind which two of 384 channels look along rows and along columns.
    case forked([Layer], String)
    /// Means of 3 x 3, and a convolution of 1 x 1.
    case pooled(String, Int)
    /// The largest of 3 x 3, at half the size.
    case largest
  }

  private let branches: [(Tensor) -> Tensor]

  init(_ p: Parameters, _ inputs: Int, _ branches: [Branch], _ dtype: DType) {
    func chain(_ layers: [Layer], halving: Bool = false) -> [InceptionConv] {
      var width = inputs
      return layers.enumerated().map { index, layer in
        defer { width = layer.outputs }
        let halves = halving && index == layers.count - 1
        let padding = halves ? (0, 0) : (layer.kernel.0 / 2, layer.kernel.1 / 2)
        return InceptionConv(
          p / layer.name, width, layer.outputs, layer.kernel, stride: halves ? 2 : 1,
          padding: padding, dtype)
      }
    }
    func apply(_ layers: [InceptionConv], _ x: Tensor) -> Tensor { layers.reduce(x) { $1($0) } }
    self.branches = branches.map { branch in
      switch branch {
      case .chain(let layers):
        let layers = chain(layers)
        return { apply(layers, $0) }
      case .halving(let layers):
        let layers = chain(layers, halving: true)
        return { apply(layers, $0) }
      case .forked(let layers, let name):
        let width = layers[layers.count - 1].outputs
        let layers = chain(layers)
        let fork = [("a", (1, 3), (0, 1)), ("b", (3, 1), (1, 0))].map { end, kernel, padding in
          InceptionConv(p / (name + end), width, 384, kernel, padding: padding, dtype)
        }
        return { x in
          let h = apply(layers, x)
          return concatenated(fork.map { $0(h) }, over: 1)
        }
      case .pooled(let name, let outputs):
        let layer = InceptionConv(p / name, inputs, outputs, (1, 1), padding: (0, 0), dtype)
        return { layer($0.averagePooled(3, stride: 1, padding: 1)) }
      case .largest:
        return { $0.maxPooled(3, stride: 2) }
      }
    }
  }

  func callAsFunction(_ x: Tensor) -> Tensor { concatenated(branches.map { $0(x) }, over: 1) }
}

extension DAMSMImageEncoder: Network {
  /// AttnGAN's files.
  public static let architecture = Architecture(
    "damsm", DAMSMImageEncoder.self, kind: AttnGAN.kind,
    layouts: [
      .init(
        "DAMSM image encoder", mark: "emb_cnn_code.weight",
        needs: ["emb_features.weight", "Mixed_7c.branch1x1.conv.weight"])
    ]
  ) { checkpoint, _ in
    guard let shape = checkpoint.shape("emb_cnn_code.weight"), shape.count == 2 else { return nil }
    return (Config(width: shape[0]), [])
  }
}

extension DAMSMImageEncoder.Config: NetworkConfig {
  /// The network in a few words.
  public var title: String { "DAMSM image encoder" }

  /// See `NetworkConfig`.
  public var problem: String? {
    (1...8192).contains(width) ? nil : "'width' must be from 1 to 8192"
  }
}

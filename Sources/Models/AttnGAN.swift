import Torch
import Weights

/// The generator of AttnGAN (Xu et al. 2018): from a text and noise to a small picture, and from there to
/// larger ones, each position of which looks at the words that concern it.
///
/// Follows `G_NET` and `G_DCGAN` of `code/model.py` of taoxugit/AttnGAN at 0d000e6, keys verbatim.
/// Differences: of several texts of different lengths each is masked by its own, where the original
/// exchanges the masks; the norms are multiplied into the convolutions while loading, and a convolution of
/// a picture that was doubled reads the smaller one.
public struct AttnGAN {
  /// The shape of the network; names as in `miscc/config.py`, in small letters.
  public struct Config: Codable, Sendable, Hashable {
    /// Channels at 64 pixels and above.
    public var gf_dim: Int
    /// Numbers of noise.
    public var z_dim: Int
    /// Numbers that a text is condensed to.
    public var condition_dim: Int
    /// Numbers of a text's and of a word's reading.
    public var embedding_dim: Int
    /// Residual blocks of each stage that enlarges.
    public var r_num: Int
    /// Stages: pictures of 64, 128 and 256 pixels.
    public var branch_num: Int
    /// Whether only the last stage draws a picture (`B_DCGAN`).
    public var dcgan: Bool

    /// A configuration; what is left out is that of the network for birds.
    public init(
      gf_dim: Int = 32, z_dim: Int = 100, condition_dim: Int = 100, embedding_dim: Int = 256,
      r_num: Int = 2, branch_num: Int = 3, dcgan: Bool = false
    ) {
      self.gf_dim = gf_dim
      self.z_dim = z_dim
      self.condition_dim = condition_dim
      self.embedding_dim = embedding_dim
      self.r_num = r_num
      self.branch_num = branch_num
      self.dcgan = dcgan
    }

    /// `cfg/eval_bird.yml`.
    public static let bird = Config()
    /// `cfg/eval_coco.yml`.
    public static let coco = Config(gf_dim: 48, r_num: 3)

    /// Height and width of the largest pictures.
    public var size: Int { 32 << branch_num }
  }

  /// What a text is as a picture's condition: a normal distribution.
  public struct Condition {
    /// Its mean, `[B, C]`.
    public let mean: Tensor
    /// The logarithm of its variance, `[B, C]`.
    public let logVariance: Tensor

    /// A condition drawn with standard normal noise `[B, C]`.
    public func callAsFunction(_ noise: Tensor) -> Tensor {
      (logVariance * 0.5).exp() * noise + mean
    }
  }

  /// Pictures, and how they came about.
  public struct Drawing {
    /// `[B, 3, S, S]` in -1…1, from the smallest on; only the largest of a network with one.
    public let pictures: [Tensor]
    /// How much of each word each position of the stage before took, `[B, T, S, S]`, for each stage that
    /// enlarges.
    public let attention: [Tensor]
  }

  /// What people use the networks as.
  static let kind = "attngan"
  /// The file of the dictionary, beside the networks.
  public static let dictionaryFile = "captions.pickle"

  /// The shape of this network.
  public let config: Config
  private let conditioning: Linear
  private let first: InitialStage
  private let next: [AttentiveStage]
  private let images: [(stage: Int, weight: Tensor)]

  /// The network with parameters at `p`.
  public init(_ p: Parameters, _ config: Config) {
    self.config = config
    let width = config.gf_dim
    conditioning = Linear(p / "ca_net" / "fc", config.embedding_dim, 4 * config.condition_dim)
    let dtype = conditioning.weight.dtype
    first = InitialStage(p / "h_net1", config, dtype)
    let stages = 1..<max(1, config.branch_num)
    next = stages.map { AttentiveStage(p / "h_net\($0 + 1)", config, dtype) }
    let drawing =
      config.dcgan
      ? [(stages.upperBound - 1, "")] : (0..<stages.upperBound).map { ($0, "\($0 + 1)") }
    images = drawing.map { stage, name in
      (
        stage,
        (p / "img_net\(name)" / "img" / 0)(
          "weight", [3, width, 3, 3], .normal(1 / Double(9 * width).squareRoot()))
      )
    }
  }

  /// What texts are as conditions.
  /// - Parameter sentence: `[B, E]`
  public func condition(_ sentence: Tensor) -> Condition {
    let c = config.condition_dim
    let x = conditioning(sentence.to(conditioning.weight.dtype)).to(.float32)
      .gated(over: 1)  // [B, 2 C]
    return Condition(mean: x.narrowed(1, 0, c), logVariance: x.narrowed(1, c, c))
  }

  /// Draws pictures.
  /// - Parameters:
  ///   - noise: `[B, Z]`
  ///   - condition: `[B, C]`
  ///   - words: `[B, E, T]`
  ///   - mask: added to the words' scores, `[B, 1, T]`.
  ///   - stages: how many stages draw; nil for all.
  public func callAsFunction(
    _ noise: Tensor, _ condition: Tensor, _ words: Tensor, mask: Tensor, stages: Int? = nil
  ) -> Drawing {
    let dtype = conditioning.weight.dtype
    var h = first(concatenated([condition, noise], over: 1).to(dtype))  // [B, G, 64, 64]
    var (pictures, attention) = ([Tensor](), [Tensor]())
    func draw(_ stage: Int) {
      guard let image = images.first(where: { $0.stage == stage }) else { return }
      pictures.append(h.conv2d(image.weight, padding: 1).to(.float32).tanh())
    }
    draw(0)
    for (index, stage) in next.prefix((stages ?? next.count + 1) - 1).enumerated() {
      let (enlarged, seen) = stage(h, words.to(dtype), mask)
      h = enlarged
      attention.append(seen)
      draw(index + 1)
    }
    return Drawing(pictures: pictures, attention: attention)
  }
}

// MARK: - Blocks

/// A convolution of 3 x 3, or a linear layer, without bias and with a batch norm behind it.
///
/// Out of training the norm is multiplied into the weight. A variable, in training, is taken as it is, and
/// the norm goes by the batch.
private struct NormedLayer {
  private let weight: Tensor
  private let bias: Tensor?
  private let norm: Norm?

  private struct Norm {
    let weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor
  }

  /// - Parameters:
  ///   - kernel: width of the convolution's kernel; 0 makes a linear layer.
  ///   - doubling: whether it reads pictures that are to be doubled first.
  init(
    _ p: Parameters, _ place: Int, _ inputs: Int, _ outputs: Int, kernel: Int = 3,
    doubling: Bool = false, _ dtype: DType
  ) {
    let shape = [outputs, inputs] + (kernel > 0 ? [kernel, kernel] : [])
    // A gated unit lets 0.29 of the variance through.
    let fan = Double(shape.dropFirst().reduce(1, *))
    let weight = (p / place)("weight", shape, .normal(1.85 / fan.squareRoot()), .precise)
    let q = p / (place + 1)
    let norm = Norm(
      weight: q("weight", [outputs], .ones, .precise), bias: q("bias", [outputs], .zeros, .precise),
      mean: q("running_mean", [outputs], .zeros, .precise),
      variance: q("running_var", [outputs], .ones, .precise))
    guard !weight.requiresGrad else {
      (self.weight, bias, self.norm) = (weight, nil, norm)
      return
    }
    let gain = norm.weight * (norm.variance + 1e-5).rsqrt()
    let folded = weight * gain.reshaped([outputs] + Array(repeating: 1, count: shape.count - 1))
    self.weight = (doubling ? Self.halved(folded) : folded).to(dtype)
    bias = (norm.bias - norm.mean * gain).to(dtype)
    self.norm = nil
  }

  /// `[B, in]` to `[B, out]`.
  func linear(_ x: Tensor) -> Tensor { normed(x.linear(weight, bias)) }

  /// `[B, in, H, W]` to `[B, out, H, W]`.
  func callAsFunction(_ x: Tensor) -> Tensor { normed(x.conv2d(weight, bias, padding: 1)) }

  /// `[B, in, H, W]`, doubled, to `[B, out, 2 H, 2 W]`.
  func doubled(_ x: Tensor) -> Tensor {
    let (b, height, width) = (x.size(0), x.size(2), x.size(3))
    guard norm == nil, let bias else {
      return self(x.resampled(2 * height, 2 * width, .nearest))
    }
    let outputs = bias.size(0)
    let parts = x.conv2d(weight, padding: 1).chunks(4, over: 1)  // 4 x [B, out, H + 1, W + 1]
    let rows = (0..<2).map { row in
      let columns = (0..<2).map { column in
        parts[2 * row + column].narrowed(2, row, height).narrowed(3, column, width)
      }
      return stacked(columns, over: 4)  // [B, out, H, W, 2]
    }
    return stacked(rows, over: 3).reshaped(b, outputs, 2 * height, 2 * width)
      + bias.reshaped(1, outputs, 1, 1)
  }

  private func normed(_ x: Tensor) -> Tensor {
    guard let norm else { return x }
    // Its statistics are moved in place, which no variable may be.
    return x.batchNorm(
      norm.weight, norm.bias, statistics: (norm.mean.detached(), norm.variance.detached()),
      momentum: 0.1)
  }

  /// Of a kernel `[out, in, 3, 3]` on a picture whose pixels were doubled, what each of the four pixels
  /// that come of one sees of the picture before, `[4 out, in, 2, 2]`: of three pixels in a row two are
  /// the same.
  private static func halved(_ weight: Tensor) -> Tensor {
    func pairs(_ w: Tensor, _ dim: Int) -> [Tensor] {
      let (a, b, c) = (w.narrowed(dim, 0, 1), w.narrowed(dim, 1, 1), w.narrowed(dim, 2, 1))
      return [concatenated([a, b + c], over: dim), concatenated([a + b, c], over: dim)]
    }
    return concatenated(pairs(weight, 2).flatMap { pairs($0, 3) }, over: 0)
  }
}

/// From condition and noise to the features of 64 x 64 positions.
private struct InitialStage {
  let fc: NormedLayer
  let upsample: [NormedLayer]

  init(_ p: Parameters, _ config: AttnGAN.Config, _ dtype: DType) {
    let width = 16 * config.gf_dim
    fc = NormedLayer(
      p / "fc", 0, config.condition_dim + config.z_dim, 2 * 16 * width, kernel: 0, dtype)
    upsample = (0..<4).map { i in
      NormedLayer(
        p / "upsample\(i + 1)", 1, width >> i, 2 * (width >> (i + 1)), doubling: true, dtype)
    }
  }

  /// `[B, C + Z]` to `[B, G, 64, 64]`.
  func callAsFunction(_ x: Tensor) -> Tensor {
    let h = fc.linear(x).gated(over: 1).reshaped(x.size(0), -1, 4, 4)  // [B, 16 G, 4, 4]
    return upsample.reduce(h) { $1.doubled($0).gated(over: 1) }
  }
}

/// Looks at the words, and enlarges.
private struct AttentiveStage {
  let conv_context: Tensor
  let residual: [(NormedLayer, NormedLayer)]
  let upsample: NormedLayer

  init(_ p: Parameters, _ config: AttnGAN.Config, _ dtype: DType) {
    let width = config.gf_dim
    conv_context = (p / "att" / "conv_context")(
      "weight", [width, config.embedding_dim, 1, 1],
      .normal(1 / Double(config.embedding_dim).squareRoot()))
    residual = (0..<config.r_num).map { i in
      let q = p / "residual" / i / "block"
      return (
        NormedLayer(q, 0, 2 * width, 4 * width, dtype),
        NormedLayer(q, 3, 2 * width, 2 * width, dtype)
      )
    }
    upsample = NormedLayer(p / "upsample", 1, 2 * width, 2 * width, doubling: true, dtype)
  }

  /// `[B, G, S, S]` and words `[B, E, T]` to `[B, G, 2 S, 2 S]`, and the attention, `[B, T, S, S]`.
  func callAsFunction(_ h: Tensor, _ words: Tensor, _ mask: Tensor) -> (Tensor, attention: Tensor) {
    let (b, side, wide) = (h.size(0), h.size(2), h.size(3))
    let context = conv_context.reshaped(conv_context.size(0), -1).matmul(words)  // [B, G, T]
    let positions = h.reshaped(b, -1, side * wide).transposed()  // [B, S S, G]
    let scores = positions.matmul(context).to(.float32) + mask  // [B, S S, T]
    let attention = scores.softmax(over: -1).transposed()  // [B, T, S S]
    let seen = context.matmul(attention.to(context.dtype)).reshaped(h.shape)
    var x = concatenated([h, seen], over: 1)  // [B, 2 G, S, S]
    for (wide, narrow) in residual { x = x + narrow(wide(x).gated(over: 1)) }
    return (upsample.doubled(x).gated(over: 1), attention.reshaped(b, -1, side, wide))
  }
}

extension AttnGAN: Network {
  /// AttnGAN's files. Its text encoder has the same kind, so that they are installed together.
  public static let architecture = Architecture(
    "attngan", AttnGAN.self, kind: kind,
    layouts: [
      .init(
        "AttnGAN generator", mark: "h_net1.upsample4.1.weight",
        needs: ["ca_net.fc.weight", "h_net1.fc.0.weight"])
    ], sidecars: { _ in [dictionaryFile] }
  ) { checkpoint, _ in
    Config(detecting: checkpoint.shapes).map { ($0, []) }
  }
}

extension AttnGAN.Config {
  /// Reads the sizes from the shapes of a checkpoint.
  /// - Returns: nil when these are not the shapes of an AttnGAN.
  init?(detecting shapes: [String: [Int]]) {
    guard let last = shapes["h_net1.upsample4.1.weight"], last.count == 4,
      let condition = shapes["ca_net.fc.weight"], condition.count == 2,
      let begin = shapes["h_net1.fc.0.weight"], begin.count == 2
    else { return nil }
    let stages = (2...3).prefix { shapes["h_net\($0).upsample.1.weight"] != nil }.count + 1
    let blocks = (0..<64).prefix { shapes["h_net2.residual.\($0).block.0.weight"] != nil }.count
    self.init(
      gf_dim: last[0] / 2, z_dim: begin[1] - condition[0] / 4, condition_dim: condition[0] / 4,
      embedding_dim: condition[1], r_num: blocks, branch_num: stages,
      dcgan: shapes["img_net.img.0.weight"] != nil)
    guard problem == nil else { return nil }
  }
}

extension AttnGAN.Config: NetworkConfig {
  /// The network in a few words.
  public var title: String {
    "AttnGAN of \(size) pixels" + (dcgan ? ", DCGAN" : "")
  }

  /// See `NetworkConfig`.
  public var problem: String? {
    let widths = [
      ("gf_dim", gf_dim), ("z_dim", z_dim), ("condition_dim", condition_dim),
      ("embedding_dim", embedding_dim),
    ]
    for (name, width) in widths where !(1...4096).contains(width) {
      return "'\(name)' must be from 1 to 4096"
    }
    guard (0...64).contains(r_num) else { return "'r_num' must be from 0 to 64" }
    guard (1...3).contains(branch_num) else { return "'branch_num' must be from 1 to 3" }
    return nil
  }
}

import Foundation
import Torch
import Weights

/// The generator of ESRGAN (Wang et al., "ESRGAN: Enhanced Super-Resolution Generative Adversarial
/// Networks", 2018) and Real-ESRGAN (Wang et al. 2021): small pictures to large ones.
///
/// Follows `basicsr/archs/rrdbnet_arch.py` of XPixelGroup/BasicSR 1.4.2, keys verbatim; the older
/// names of the same weights are ``layouts(of:)``. Networks for the factors 2 and 1 fold the picture
/// into channels first and enlarge by 4 like the others.
public struct RRDBNet {
  /// The shape of the network; names as in the reference.
  public struct Config: Codable, Sendable, Hashable {
    /// How many times larger the picture becomes: 4, 2 or 1.
    public var scale: Int
    /// Channels between blocks.
    public var num_feat: Int
    /// Number of blocks.
    public var num_block: Int
    /// Channels that each convolution within a block adds.
    public var num_grow_ch: Int

    /// A configuration; what is left out is that of RealESRGAN_x4plus.
    public init(
      scale: Int = 4, num_feat: Int = 64, num_block: Int = 23, num_grow_ch: Int = 32
    ) {
      self.scale = scale
      self.num_feat = num_feat
      self.num_block = num_block
      self.num_grow_ch = num_grow_ch
    }

    /// https://github.com/xinntao/Real-ESRGAN/releases/download/v0.1.0/RealESRGAN_x4plus.pth
    public static let x4plus = Config()
    /// https://github.com/xinntao/Real-ESRGAN/releases/download/v0.2.1/RealESRGAN_x2plus.pth
    public static let x2plus = Config(scale: 2)
    /// https://github.com/xinntao/Real-ESRGAN/releases/download/v0.2.2.4/RealESRGAN_x4plus_anime_6B.pth
    public static let anime6B = Config(num_block: 6)

    /// Pixels along each axis that are folded into channels; height and width are multiples of it.
    public var folding: Int { 4 / scale }

    /// Reads the sizes from the shapes of a checkpoint.
    /// - Returns: nil when these are not the shapes of an RRDBNet for the factors 4, 2 or 1.
    public init?(detecting shapes: [String: [Int]]) {
      let blocks = Set(
        shapes.keys.filter { $0.hasPrefix("body.") }.map { $0.dropFirst(5).prefix { $0 != "." } })
      guard let first = shapes["conv_first.weight"], first.count == 4,
        let scale = [3: 4, 12: 2, 48: 1][first[1]], shapes["conv_up3.weight"] == nil,
        let growth = shapes["body.0.rdb1.conv1.weight"], growth.count == 4,
        [first[0], growth[0]].allSatisfy({ (1...4096).contains($0) })
      else { return nil }
      self.init(
        scale: scale, num_feat: first[0], num_block: blocks.count, num_grow_ch: growth[0])
    }
  }

  /// The shape of the network.
  public let config: Config
  let conv_first: Conv2d, body: [RRDB], conv_body: Conv2d
  let conv_up1: Conv2d, conv_up2: Conv2d, conv_hr: Conv2d, conv_last: Conv2d

  /// The network with parameters at `p`.
  public init(_ p: Parameters, _ config: Config) {
    self.config = config
    let width = config.num_feat
    conv_first = Conv2d(p / "conv_first", 3 * config.folding * config.folding, width)
    body = (0..<config.num_block).map { RRDB(p / "body" / $0, width, config.num_grow_ch) }
    conv_body = Conv2d(p / "conv_body", width, width)
    conv_up1 = Conv2d(p / "conv_up1", width, width)
    conv_up2 = Conv2d(p / "conv_up2", width, width)
    conv_hr = Conv2d(p / "conv_hr", width, width)
    conv_last = Conv2d(p / "conv_last", width, 3)
  }

  /// Enlarges pictures.
  /// - Parameter pictures: `[B, 3, H, W]` in 0…1, sizes multiples of the folding.
  /// - Returns: `[B, 3, scale H, scale W]`, 0…1 or a little outside, float32
  public func callAsFunction(_ pictures: Tensor) -> Tensor {
    let folded = config.folding > 1 ? pictures.pixelUnshuffled(config.folding) : pictures
    let first = conv_first(
      folded.to(conv_first.weight.dtype).contiguous(channelsLast: true))
    var x = first + conv_body(body.reduce(first) { x, block in block(x) })
    for conv in [conv_up1, conv_up2] {
      x = conv(x.resampled(2 * x.size(2), 2 * x.size(3), .nearest)).leakyReLU(0.2)
    }
    return conv_last(conv_hr(x).leakyReLU(0.2)).to(.float32)
  }

  // MARK: Older names

  /// The names of 2019, under which the later weights of ESRGAN were published.
  static let esrgan2019 = KeyRules(
    name: "ESRGAN of 2019", mark: "trunk_conv.weight",
    rules: (1...3).map { .init("RRDB_trunk.*.RDB\($0).*.*", "body.*.rdb\($0).*.*") } + [
      .init("trunk_conv.*", "conv_body.*"), .init("upconv1.*", "conv_up1.*"),
      .init("upconv2.*", "conv_up2.*"), .init("HRconv.*", "conv_hr.*"),
    ])

  /// The numbers of 2018, in which many networks of that family are passed on.
  static func esrgan2018(blocks: Int) -> KeyRules {
    KeyRules(
      name: "ESRGAN of 2018", mark: oldestMark,
      rules: (1...3).map { .init("model.1.sub.*.RDB\($0).*.0.*", "body.*.rdb\($0).*.*") } + [
        .init("model.0.*", "conv_first.*"), .init("model.1.sub.\(blocks).*", "conv_body.*"),
        .init("model.3.*", "conv_up1.*"), .init("model.6.*", "conv_up2.*"),
        .init("model.8.*", "conv_hr.*"), .init("model.10.*", "conv_last.*"),
      ])
  }

  static let oldestMark = "model.1.sub.0.RDB1.conv1.0.weight"

  /// ncnn's convolutions, in the order in which the network asks for them.
  static func ncnn(convolutions count: Int) -> KeyRules {
    let blocks = max(0, count - 6) / 15
    let dense = (0..<blocks).flatMap { block in
      (1...3).flatMap { rdb in (1...5).map { "body.\(block).rdb\(rdb).conv\($0)" } }
    }
    let names =
      ["conv_first"] + dense + ["conv_body", "conv_up1", "conv_up2", "conv_hr", "conv_last"]
    return KeyRules(
      name: "ncnn", mark: ncnnMark,
      rules: names.enumerated().map { .init("Convolution.\($0).*", "\($1).*") })
  }

  static let ncnnMark = "Convolution.0.weight"

  /// The older layouts of a file with these keys.
  public static func layouts(of keys: [String]) -> [KeyRules] {
    let prefix = "model.1.sub."
    let numbers = keys.filter { $0.hasPrefix(prefix) }
      .compactMap { Int($0.dropFirst(prefix.count).prefix { $0 != "." }) }
    return [esrgan2019, esrgan2018(blocks: numbers.max() ?? 0)]
  }
}

/// Three dense blocks beside a shortcut.
struct RRDB {
  let rdb: [[Conv2d]]

  init(_ p: Parameters, _ width: Int, _ growth: Int) {
    rdb = (1...3).map { block in
      (1...5).map { index in
        Conv2d(
          p / "rdb\(block)" / "conv\(index)", width + (index - 1) * growth,
          index < 5 ? growth : width)
      }
    }
  }

  /// `[B, C, H, W]` to the same shape.
  func callAsFunction(_ x: Tensor) -> Tensor {
    x + rdb.reduce(x) { x, convolutions in dense(x, convolutions) } * 0.2
  }

  /// Each convolution sees what all before it gave.
  private func dense(_ x: Tensor, _ convolutions: [Conv2d]) -> Tensor {
    var seen = x
    for convolution in convolutions.dropLast() {
      seen = concatenated([seen, convolution(seen).leakyReLU(0.2)], over: 1)
    }
    return convolutions.last.map { x + $0(seen) * 0.2 } ?? x
  }
}

extension RRDBNet: SuperResolution {
  /// How many times larger pictures become.
  public var scale: Int { config.scale }
  /// See `SuperResolution`.
  public var folding: Int { config.folding }

  /// Real-ESRGAN's files, and ESRGAN's of 2019 and 2018.
  public static let architecture = Architecture(
    "rrdbnet", RRDBNet.self, kind: "upscaler",
    layouts: [
      .init("Real-ESRGAN", mark: "conv_first.weight", rules: { layouts(of: $0) }),
      .init("ESRGAN of 2018", mark: oldestMark, rules: { layouts(of: $0) }),
      .init(
        "ncnn", mark: ncnnMark, needs: ["Convolution.20.weight"],
        rules: { keys in
          [ncnn(convolutions: keys.count { $0.hasSuffix(".weight") })]
        }),
    ]
  ) { checkpoint, _ in
    Config(detecting: checkpoint.shapes).map { ($0, []) }
  }
}

extension RRDBNet.Config: NetworkConfig {
  /// Why these sizes make no network; nil when they do.
  public var problem: String? {
    guard [1, 2, 4].contains(scale), (1...4096).contains(num_feat),
      (1...4096).contains(num_grow_ch), (1...256).contains(num_block)
    else { return "the sizes make no network" }
    return nil
  }

  /// The network in a few words.
  public var title: String { "RRDBNet x\(scale), \(num_block) blocks" }
}

extension Architecture {
  /// The networks that make pictures larger.
  public static let superResolution: [any SuperResolution.Type] = [
    RRDBNet.self, SRVGGNetCompact.self,
  ]
}

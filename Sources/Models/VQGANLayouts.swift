import Foundation
import Weights

extension VQGAN {
  /// diffusers' `VQModel` with `levels` resolutions (diffusers `models/autoencoders/vq_model.py`).
  ///
  /// There the decoder's blocks count from the lowest resolution up, and the 1 x 1 convolutions of
  /// attention are linear layers. Files from before diffusers 0.17 name these `query`, `key`,
  /// `value`, `proj_attn`.
  public static func diffusers(levels: Int) -> KeyRules {
    var rules: [KeyRules.Rule] = []
    for side in ["encoder", "decoder"] {
      rules.append(KeyRules.Rule("\(side).conv_norm_out.*", "\(side).norm_out.*"))
      for index in 0..<2 {
        let (theirs, ours) = (
          "\(side).mid_block.resnets.\(index)", "\(side).mid.block_\(index + 1)"
        )
        rules.append(KeyRules.Rule("\(theirs).*.*", "\(ours).*.*"))
      }
      rules += attention("\(side).mid_block.attentions.0.", "\(side).mid.attn_1.")
    }
    rules += level("encoder.down_blocks.*.", "encoder.down.*.")
    rules += level("decoder.up_blocks.*.", "decoder.up.*.") { stars in
      let stars = stars.map { String($0) }
      guard let up = stars.first.flatMap({ Int($0) }), (0..<levels).contains(up) else {
        return stars
      }
      return [String(levels - 1 - up)] + stars.dropFirst()
    }
    return KeyRules(
      name: "diffusers VQModel", mark: "encoder.mid_block.resnets.0.conv1.weight", rules: rules)
  }

  /// What patil-suraj/vqgan-jax saves as `flax_model.msgpack`: the VQGANs of dalle-mini.
  public static let flax = KeyRules(
    name: "vqgan-jax", mark: flaxMark,
    rules: ["*.", "*.*.", "*.mid.*.*."].flatMap { leaves($0, $0) }
      + [
        ("down_*.block_*.*.", "down.*.block.*.*."), ("down_*.attn_*.*.", "down.*.attn.*.*."),
        ("down_*.downsample.conv.", "down.*.downsample.conv."),
        ("up_*.block_*.*.", "up.*.block.*.*."), ("up_*.attn_*.*.", "up.*.attn.*.*."),
        ("up_*.upsample.conv.", "up.*.upsample.conv."),
      ].flatMap { leaves("*.\($0)", "*.\($1)") }
      + [.init(flaxMark, "quantize.embedding.weight")])

  private static let flaxMark = "quantize.embedding.embedding"

  /// The leaves of flax's layers below `theirs`.
  private static func leaves(_ theirs: String, _ ours: String) -> [KeyRules.Rule] {
    [
      .init("\(theirs)kernel", "\(ours)weight", .kernel),
      .init("\(theirs)scale", "\(ours)weight"), .init("\(theirs)bias", "\(ours)bias"),
    ]
  }

  /// The layout of a file with these keys: diffusers' if it is in that, with the levels counted.
  public static func layouts(of keys: [String]) -> [KeyRules] {
    let prefix = "encoder.down_blocks."
    let levels = keys.filter { $0.hasPrefix(prefix) }
      .compactMap { Int($0.dropFirst(prefix.count).prefix { $0 != "." }) }.max()
    return levels.map { [diffusers(levels: $0 < 64 ? $0 + 1 : 0)] } ?? []
  }

  /// Where taming's transformers keep the VQGAN of the picture; `cond_stage_model` may be one of
  /// segmentations or depths.
  static let firstStage = "first_stage_model."

  /// Keys of taming's checkpoints that a generator does not need: losses and discriminator.
  public static let leftovers = ["loss.", "colorize"]

  private static func level(
    _ p: String, _ q: String, _ map: (@Sendable ([Substring]) -> [String])? = nil
  ) -> [KeyRules.Rule] {
    [
      .init(p + "resnets.*.conv_shortcut.*", q + "block.*.nin_shortcut.*", map: map),
      .init(p + "resnets.*.*.*", q + "block.*.*.*", map: map),
      .init(p + "downsamplers.0.conv.*", q + "downsample.conv.*", map: map),
      .init(p + "upsamplers.0.conv.*", q + "upsample.conv.*", map: map),
    ] + attention(p + "attentions.*.", q + "attn.*.", map)
  }

  private static func attention(
    _ p: String, _ q: String, _ map: (@Sendable ([Substring]) -> [String])? = nil
  ) -> [KeyRules.Rule] {
    let names = [
      ("to_q", "q"), ("to_k", "k"), ("to_v", "v"), ("to_out.0", "proj_out"), ("query", "q"),
      ("key", "k"), ("value", "v"), ("proj_attn", "proj_out"),
    ]
    var rules = [KeyRules.Rule(p + "group_norm.*", q + "norm.*", map: map)]
    for (theirs, ours) in names {
      rules.append(KeyRules.Rule(p + theirs + ".weight", q + ours + ".weight", .rank(4), map: map))
      rules.append(KeyRules.Rule(p + theirs + ".bias", q + ours + ".bias", map: map))
    }
    return rules
  }
}

extension VQGAN: Network {
  /// taming's VQGAN and GumbelVQ, also as a transformer's first stage, and diffusers' VQModel.
  public static let architecture = Architecture(
    "vqgan", VQGAN.self, kind: "vqgan",
    layouts: [
      .init(
        "taming VQGAN", mark: "quantize.embedding.weight", needs: ["encoder.conv_in.weight"],
        role: firstStage, rules: { layouts(of: $0) }),
      .init(
        "taming GumbelVQ", mark: "quantize.embed.weight", needs: ["encoder.conv_in.weight"],
        role: firstStage),
      .init("vqgan-jax", mark: flaxMark, needs: ["encoder.conv_in.kernel"], rules: { _ in [flax] }),
    ],
    leftovers: { _ in leftovers },
    sidecars: { file in
      ["yaml", "yml"].map { "\(file.deletingPathExtension().lastPathComponent).\($0)" }
    }
  ) { checkpoint, sidecars in
    guard var config = Config(detecting: checkpoint.shapes) else { return nil }
    if checkpoint.layout?.name == flax.name {
      config.unitRange = true
      return (config, ["sizes by the shapes; pictures in 0…1, as dalle-mini uses its VQGANs"])
    }
    guard let told = sidecars.taming(for: checkpoint.file.url) else {
      return (config, ["sizes by the shapes; there is no yaml beside the file"])
    }
    return told.value == config
      ? (config, ["sizes by \(told.name), which the shapes bear out"])
      : (config, ["sizes by the shapes; \(told.name) says something else"])
  }
}

import Weights

// The U-Net in the keys of diffusers' UNet2DConditionModel and UNet2DModel.

extension UNet {
  /// Rules from diffusers' keys to ours.
  /// - Parameters:
  ///   - keys: the file's.
  ///   - from: what stands before diffusers' keys, "decoder." for instance.
  ///   - to: what stands before ours.
  ///   - headWidth: channels of a head, whose query, key and value lie together in ours.
  static func diffusersRules(
    _ keys: [String], from: String = "", to: String = "", headWidth: Int = 64
  ) -> [KeyRules.Rule] {
    let known = Set(keys)
    let first = "\(from)down_blocks.0.resnets."
    let blocks = keys.count { $0.hasPrefix(first) && $0.hasSuffix(".conv1.weight") }
    let attendsInMiddle = known.contains("\(from)mid_block.attentions.0.to_q.weight")
    let attending = Set(
      (0..<16).filter { known.contains("\(from)up_blocks.\($0).attentions.0.to_q.weight") })
    // The places of a block among ours, from the numbers in diffusers' keys.
    let down: Place = { ["\(1 + $0[0] * (blocks + 1) + $0[1])"] }
    let shrinking: Place = { ["\(($0[0] + 1) * (blocks + 1))"] }
    let up: Place = { ["\($0[0] * (blocks + 1) + $0[1])"] }
    let growing: Place = {
      ["\($0[0] * (blocks + 1) + blocks)", attending.contains($0[0]) ? "2" : "1"]
    }
    let middle: Place = { [$0[0] == 0 ? "0" : attendsInMiddle ? "2" : "1"] }
    let blockRules = [
      block("down_blocks.*.resnets.*", "input_blocks.*.0", down),
      attention("down_blocks.*.attentions.*", "input_blocks.*.1", headWidth, down),
      block("down_blocks.*.downsamplers.0", "input_blocks.*.0", shrinking),
      block("mid_block.resnets.*", "middle_block.*", middle),
      attention("mid_block.attentions.0", "middle_block.1", headWidth) { _ in [] },
      block("up_blocks.*.resnets.*", "output_blocks.*.0", up),
      attention("up_blocks.*.attentions.*", "output_blocks.*.1", headWidth, up),
      block("up_blocks.*.upsamplers.0", "output_blocks.*.*", growing),
    ]
    let ends = [
      ("conv_in", "input_blocks.0.0"), ("time_embedding.linear_1", "time_embed.0"),
      ("time_embedding.linear_2", "time_embed.2"), ("conv_norm_out", "out.0"),
      ("conv_out", "out.2"),
    ]
    return blockRules.joined().map { $0(from, to) }
      + ends.map { .init("\(from)\($0).*", "\(to)\($1).*") }
  }

  /// Numbers in ours from the numbers in diffusers' keys.
  private typealias Place = @Sendable ([Int]) -> [String]
  /// A rule, once what stands before both is known.
  private typealias Placed = (_ from: String, _ to: String) -> KeyRules.Rule

  /// A residual block.
  private static func block(_ theirs: String, _ ours: String, _ place: @escaping Place) -> [Placed]
  {
    let numbers = theirs.count { $0 == "*" }
    return [
      ("norm1", "in_layers.0"), ("conv1", "in_layers.2"), ("time_emb_proj", "emb_layers.1"),
      ("norm2", "out_layers.0"), ("conv2", "out_layers.3"), ("conv_shortcut", "skip_connection"),
    ].map { part, layer in
      { from, to in
        .init("\(from)\(theirs).\(part).*", "\(to)\(ours).\(layer).*") { stars in
          place(stars.prefix(numbers).map { Int($0) ?? 0 }) + stars.suffix(1).map(String.init)
        }
      }
    }
  }

  /// Attention, whose matrices are kernels in ours.
  private static func attention(
    _ theirs: String, _ ours: String, _ headWidth: Int, _ place: @escaping Place
  ) -> [Placed] {
    func joined(_ index: Int, of count: Int) -> (Bool) -> KeyRules.Change {
      { .part(index, of: count, rows: headWidth, rank: $0 ? 3 : nil) }
    }
    let parts: [(String, String, (_ isMatrix: Bool) -> KeyRules.Change)] = [
      ("group_norm", "norm", { _ in .none }), ("to_out.0", "proj_out", { $0 ? .rank(3) : .none }),
      ("to_q", "qkv", joined(0, of: 3)), ("to_k", "qkv", joined(1, of: 3)),
      ("to_v", "qkv", joined(2, of: 3)), ("add_k_proj", "encoder_kv", joined(0, of: 2)),
      ("add_v_proj", "encoder_kv", joined(1, of: 2)),
    ]
    return parts.flatMap { part, layer, change in
      ["weight", "bias"].map { kind -> Placed in
        { from, to in
          .init(
            "\(from)\(theirs).\(part).\(kind)", "\(to)\(ours).\(layer).\(kind)",
            change(kind == "weight")
          ) { stars in place(stars.map { Int($0) ?? 0 }) }
        }
      }
    }
  }
}

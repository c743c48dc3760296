import Foundation

extension CLIP.Config {
  /// Reads the sizes from a checkpoint's shapes, as `build_model` of openai/CLIP does.
  ///
  /// Widths of heads leave no trace in the shapes: they are 64 but in the few published models that are
  /// known by their width. Neither does the activation, which is taken for QuickGELU here.
  ///
  /// - Throws: `CLIP.ConfigError` when a key is missing or has an odd shape.
  public init(detecting shapes: [String: [Int]]) throws {
    let shapes = Shapes(shapes)
    let tokens = try shapes("token_embedding.weight", rank: 2)
    let text = Text(
      contextLength: try shapes("positional_embedding", rank: 2)[0], vocabSize: tokens[0],
      width: tokens[1], heads: max(1, tokens[1] / Self.headWidth(of: tokens[1])),
      layers: shapes.count("transformer.resblocks."))
    self.init(
      embedDim: try shapes("text_projection", rank: 2)[1], vision: try Self.vision(shapes),
      text: text)
    if vision.tower == .slip { preprocessing = .imageNet }
    try validate()
  }

  private static func vision(_ shapes: Shapes) throws -> Vision {
    if shapes.has("visual.attnpool.positional_embedding") { return try residual(shapes) }
    let isSLIP = shapes.has("visual.cls_token")
    let kernel = try shapes(
      isSLIP ? "visual.patch_embed.proj.weight" : "visual.conv1.weight", rank: 4)
    let positions =
      try isSLIP
      ? shapes("visual.pos_embed", rank: 3)[1] : shapes("visual.positional_embedding", rank: 2)[0]
    let fc = try shapes(
      isSLIP ? "visual.blocks.0.mlp.fc1.weight" : "visual.transformer.resblocks.0.mlp.c_fc.weight",
      rank: 2)
    var vision = Vision(
      imageSize: side(positions).multipliedReportingOverflow(by: kernel[3]).partialValue,
      patchSize: kernel[3], width: kernel[0],
      layers: shapes.count(isSLIP ? "visual.blocks." : "visual.transformer.resblocks."),
      headWidth: headWidth(of: kernel[0]),
      mlpRatio: Double(fc[0]) / Double(max(1, kernel[0])))
    if isSLIP { vision.tower = .slip }
    // What is known by its width takes all of the published sizes, the exact ratio too.
    for (_, known) in published
    where known.vision.tower == vision.tower && known.vision.width == vision.width
      && known.vision.hidden == vision.hidden
    {
      vision.headWidth = known.vision.headWidth
      vision.mlpRatio = known.vision.mlpRatio
    }
    return vision
  }

  private static func residual(_ shapes: Shapes) throws -> Vision {
    let stages = (1...4).map { shapes.count("visual.layer\($0).") }
    let width = try shapes("visual.layer1.0.conv1.weight", rank: 4)[0]
    let positions = try shapes("visual.attnpool.positional_embedding", rank: 2)[0]
    return Vision(
      imageSize: side(positions).multipliedReportingOverflow(by: 32).partialValue, width: width,
      stages: stages)
  }

  /// 64, or all in one head where that does not divide the width.
  private static func headWidth(of width: Int) -> Int { width % 64 == 0 ? 64 : max(1, width) }

  /// Positions on a side, one of all being the class token's.
  private static func side(_ positions: Int) -> Int {
    Int(Double(max(0, positions - 1)).squareRoot().rounded())
  }
}

/// The shapes in a checkpoint, by key.
private struct Shapes {
  private let shapes: [String: [Int]]

  init(_ shapes: [String: [Int]]) { self.shapes = shapes }

  func has(_ key: String) -> Bool { shapes[key] != nil }

  func callAsFunction(_ key: String, rank: Int) throws -> [Int] {
    guard let shape = shapes[key], shape.count == rank else {
      throw CLIP.ConfigError(
        description: "These are not the weights of a CLIP: "
          + (shapes[key].map { "\(key) has the shape \($0)." } ?? "\(key) is missing."))
    }
    return shape
  }

  /// How many numbers follow a prefix.
  func count(_ prefix: String) -> Int {
    Set(
      shapes.keys.filter { $0.hasPrefix(prefix) }
        .compactMap { Int($0.dropFirst(prefix.count).prefix { $0 != "." }) }
    ).count
  }
}

// The published architectures. Activation and normalisation of a file may differ; see `CLIPFile`.

extension CLIP.Config {
  /// OpenAI's ViT-B/32.
  /// https://github.com/mlfoundations/open_clip/blob/main/src/open_clip/model_configs/ViT-B-32-quickgelu.json
  public static let vitB32 = CLIP.Config(
    embedDim: 512, vision: Vision(imageSize: 224, patchSize: 32, width: 768, layers: 12),
    text: Text(width: 512, heads: 8, layers: 12))
  /// OpenAI's ViT-B/16.
  public static let vitB16 = CLIP.Config(
    embedDim: 512, vision: Vision(imageSize: 224, patchSize: 16, width: 768, layers: 12),
    text: Text(width: 512, heads: 8, layers: 12))
  /// OpenAI's ViT-L/14.
  public static let vitL14 = CLIP.Config(
    embedDim: 768, vision: Vision(imageSize: 224, patchSize: 14, width: 1024, layers: 24),
    text: Text(width: 768, heads: 12, layers: 12))
  /// OpenAI's ViT-L/14@336px.
  public static let vitL14At336 = CLIP.Config(
    embedDim: 768, vision: Vision(imageSize: 336, patchSize: 14, width: 1024, layers: 24),
    text: Text(width: 768, heads: 12, layers: 12))

  private static func residual(
    _ embedDim: Int, _ imageSize: Int, _ width: Int, _ stages: [Int], _ text: Text
  ) -> CLIP.Config {
    CLIP.Config(
      embedDim: embedDim, vision: Vision(imageSize: imageSize, width: width, stages: stages),
      text: text)
  }
  /// OpenAI's RN50.
  public static let rn50 = residual(
    1024, 224, 64, [3, 4, 6, 3], Text(width: 512, heads: 8, layers: 12))
  /// OpenAI's RN101.
  public static let rn101 = residual(
    512, 224, 64, [3, 4, 23, 3], Text(width: 512, heads: 8, layers: 12))
  /// OpenAI's RN50x4.
  public static let rn50x4 = residual(
    640, 288, 80, [4, 6, 10, 6], Text(width: 640, heads: 10, layers: 12))
  /// OpenAI's RN50x16.
  public static let rn50x16 = residual(
    768, 384, 96, [6, 8, 18, 8], Text(width: 768, heads: 12, layers: 12))
  /// OpenAI's RN50x64.
  public static let rn50x64 = residual(
    1024, 448, 128, [3, 15, 36, 10], Text(width: 1024, heads: 16, layers: 12))

  /// open_clip's ViT-B-16-plus-240.
  public static let vitB16Plus240 = CLIP.Config(
    embedDim: 640, vision: Vision(imageSize: 240, patchSize: 16, width: 896, layers: 12),
    text: Text(width: 640, heads: 10, layers: 12), quickGELU: false)
  /// open_clip's ViT-H-14.
  public static let vitH14 = CLIP.Config(
    embedDim: 1024,
    vision: Vision(imageSize: 224, patchSize: 14, width: 1280, layers: 32, headWidth: 80),
    text: Text(width: 1024, heads: 16, layers: 24), quickGELU: false)
  /// open_clip's ViT-g-14.
  public static let vitg14 = CLIP.Config(
    embedDim: 1024,
    vision: Vision(
      imageSize: 224, patchSize: 14, width: 1408, layers: 40, headWidth: 88, mlpRatio: 4.3637),
    text: Text(width: 1024, heads: 16, layers: 24), quickGELU: false)
  /// open_clip's ViT-bigG-14.
  public static let vitBigG14 = CLIP.Config(
    embedDim: 1280,
    vision: Vision(
      imageSize: 224, patchSize: 14, width: 1664, layers: 48, headWidth: 104, mlpRatio: 4.9231),
    text: Text(width: 1280, heads: 20, layers: 32), quickGELU: false)

  private static func slip(_ width: Int, _ layers: Int, heads: Int) -> CLIP.Config {
    var vision = Vision(
      imageSize: 224, patchSize: 16, width: width, layers: layers, headWidth: width / heads)
    vision.tower = .slip
    return CLIP.Config(
      embedDim: 512, vision: vision, text: Text(width: 512, heads: 8, layers: 12),
      preprocessing: .imageNet)
  }
  /// SLIP's small model, which has twice the heads of timm's.
  public static let slipSmall = slip(384, 12, heads: 12)
  /// SLIP's base model.
  public static let slipBase = slip(768, 12, heads: 12)
  /// SLIP's large model.
  public static let slipLarge = slip(1024, 24, heads: 16)

  /// Every published architecture by its name.
  public static let published: [(name: String, config: CLIP.Config)] = [
    ("ViT-B/32", .vitB32), ("ViT-B/16", .vitB16), ("ViT-L/14", .vitL14),
    ("ViT-L/14@336px", .vitL14At336), ("RN50", .rn50), ("RN101", .rn101), ("RN50x4", .rn50x4),
    ("RN50x16", .rn50x16), ("RN50x64", .rn50x64), ("ViT-B-16-plus-240", .vitB16Plus240),
    ("ViT-H-14", .vitH14), ("ViT-g-14", .vitg14), ("ViT-bigG-14", .vitBigG14),
    ("SLIP ViT-S/16", .slipSmall), ("SLIP ViT-B/16", .slipBase), ("SLIP ViT-L/16", .slipLarge),
  ]

  /// The published architecture with these sizes, whatever the activation.
  public var publishedName: String? {
    Self.published.first {
      $0.config.vision == vision && $0.config.text == text
        && $0.config.embedDim == embedDim
    }?.name
  }
}

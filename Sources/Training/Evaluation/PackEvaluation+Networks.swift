import Foundation
import Imaging
import Models
import Painting
import Tokenizers
import Torch
import Weights

/// What a pack's networks do on their own, on renders that training never showed.
extension PackEvaluation {
  /// How near pictures are to what the VQGAN makes of them.
  public struct Reconstruction: Sendable {
    /// A kind of pictures.
    public struct Part: Sendable {
      /// What they show.
      public let kind: String
      /// How many there were.
      public let count: Int
      /// Their structural similarity.
      public let ssim: Double
    }

    /// Peak signal-to-noise ratio in decibels, and SSIM, of all.
    public let psnr: Double, ssim: Double
    /// SSIM of what the decoder makes of latents that are not quantised: what more codes could reach.
    public let unquantized: Double
    /// SSIM by what pictures show, which the texture of some makes harder than that of others.
    public let parts: [Part]
    /// Originals above reconstructions.
    public let sheet: Picture
  }

  /// How well the VQGAN gives held-out renders of every kind back.
  public func reconstruction(count: Int = 256) throws -> Reconstruction {
    guard let model = try vqgan() else { throw TrainingError.missing("The pack has no VQGAN.") }
    return try noGrad {
      var (originals, copies): ([Tensor], [Tensor]) = ([], [])
      var unquantized = 0.0
      var kinds: [String] = []
      for start in stride(from: 0, to: count, by: 32) {
        let batch = PictureBatches.tensor(rich, Array(start..<min(start + 32, count)))
        let y = Self.reconstructed(batch.pictures, by: model)
        let z = ((model.decode(model.encode(batch.pictures)) + 1) / 2).clamped(0, 1)
        originals.append((batch.pictures + 1) / 2)
        copies.append(((y + 1) / 2).clamped(0, 1))
        unquantized += ImageQuality.ssim(originals[originals.count - 1], z) * Double(z.size(0))
        kinds += batch.labels.map(Self.kind)
      }
      let (a, b) = (concatenated(originals, over: 0), concatenated(copies, over: 0))
      let parts = ["one on a colour", "several on a colour", "in scenes", "in styles"].compactMap {
        kind -> Reconstruction.Part? in
        let rows = kinds.indices.filter { kinds[$0] == kind }
        guard !rows.isEmpty else { return nil }
        let index = Tensor(rows, [rows.count])
        let ssim = ImageQuality.ssim(a.indexSelect(0, index), b.indexSelect(0, index))
        return .init(kind: kind, count: rows.count, ssim: ssim)
      }
      let shown = min(count, 36)
      return Reconstruction(
        psnr: ImageQuality.psnr(a, b), ssim: ImageQuality.ssim(a, b),
        unquantized: unquantized / Double(count), parts: parts,
        sheet: try Sheet.pairs(a[0..<shown], b[0..<shown]))
    }
  }

  private static func kind(_ label: ExampleLabel) -> String {
    if label.styleID != nil { return "in styles" }
    if label.sceneID != nil { return "in scenes" }
    return label.slots.count > 1 ? "several on a colour" : "one on a colour"
  }

  /// Pictures in -1…1 as a VQGAN gives them back, about as much.
  static func reconstructed(_ x: Tensor, by model: VQGAN) -> Tensor {
    model.decode(model.quantize(model.encode(x)).quantized)
  }

  /// The pack's VQGAN in float32; nil where it has none.
  func vqgan() throws -> VQGAN? {
    try network(VQGAN.self)
  }

  /// A network of the pack in float32; nil where it has none.
  private func network<N: Network>(_ type: N.Type) throws -> N? {
    guard let config = pack.config(of: type), let file = pack.file(of: type) else { return nil }
    return try Checkpoint(contentsOf: file).build { N($0, config) }
  }

  /// How near an enlarged picture is to the one that was made small.
  public struct Enlargement: Sendable {
    /// Peak signal-to-noise ratio in decibels, and SSIM, of the network.
    public let network: (psnr: Double, ssim: Double)
    /// The same of bicubic resampling.
    public let bicubic: (psnr: Double, ssim: Double)
  }

  /// How well the upscaler doubles held-out renders of small things, as they are and as the VQGAN gives
  /// them back.
  /// - Returns: both, and a sheet of the latter with bicubic above the network; nil where the pack lacks one
  ///   of them.
  public func enlargement(count: Int = 64) throws -> (
    plain: Enlargement, coded: Enlargement, sheet: Picture
  )? {
    guard let upscaler = try network(RRDBNet.self), let vqgan = try vqgan() else { return nil }
    let large = try rich.with {
      $0.size *= 2
      $0.objectSize *= 2
      ($0.pairFraction, $0.countFraction, $0.sizedFraction) = (0.6, 0.4, 0)
    }
    return try noGrad {
      let batch = PictureBatches.tensor(large, Array(0..<count)).pictures
      let small = UpscalerTrainee.halved(batch)
      let x = (batch + 1) / 2
      func measure(_ small: Tensor) -> (Enlargement, Tensor, Tensor) {
        let seen = ((small + 1) / 2).clamped(0, 1)
        let y = concatenated((0..<count).map { upscaler(seen[$0..<$0 + 1]) }, over: 0)
          .clamped(0, 1)
        let plain = seen.resampled(x.size(2), x.size(3), .bicubic).clamped(0, 1)
        func figures(_ z: Tensor) -> (psnr: Double, ssim: Double) {
          (ImageQuality.psnr(x, z), ImageQuality.ssim(x, z))
        }
        return (Enlargement(network: figures(y), bicubic: figures(plain)), y, plain)
      }
      let (plain, _, _) = measure(small)
      let back = Self.reconstructed(small, by: vqgan)
      let (coded, y, bicubic) = measure(back)
      let shown = min(count, 18)
      return (plain, coded, try Sheet.pairs(bicubic[0..<shown], y[0..<shown], columns: 6))
    }
  }

  /// How often CLIP finds a picture's own caption among so many. All pairs of object and ground are
  /// different; those that training never joined come first, and the rest are renders it never saw.
  public func retrieval(count: Int = 1000) throws -> Proportion {
    guard let model = try network(CLIP.self) else {
      throw TrainingError.missing("The pack has no CLIP.")
    }
    let config = model.config
    let tokenizer = try CLIPTokenizer(
      contentsOf: pack.folder.appending(path: Pack.tokenizerFile))
    let side = config.vision.imageSize
    return noGrad {
      CLIPTrainee.recall(count: count, sets: [anywhere, unseen]) { x in
        let seen = x.size(2) == side ? x : x.resampled(side, side, antialias: true)
        return model.embed((seen + 1) / 2).normalized()
      } _: {
        model.encodeText(tokenizer($0, length: config.text.contextLength)).normalized()
      }
    }
  }

  /// How often a judge finds a picture's own caption among the same.
  public func retrieval(by judge: CLIPJudge, count: Int = 1000) -> Proportion {
    noGrad {
      CLIPTrainee.recall(count: count, sets: [anywhere, unseen]) {
        judge.embed(($0 + 1) / 2)
      } _: {
        judge.embed($0)
      }
    }
  }
}

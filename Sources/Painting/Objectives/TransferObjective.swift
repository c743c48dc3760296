import Models
import Torch

/// One thing made into another, and all else kept: from a lion to a tiger, say (the notebook "Semantic
/// Style Transfer" of EleutherAI).
///
/// ```
/// loss = mean((1 - mᵢ) d(outᵢ, inᵢ)) + scale mean(d(outᵢ, to) - d(outᵢ, from))
/// ```
///
/// over the views i, in the same views of the picture that is painted, of the one that it began from and
/// of the region m, which is where CLIP finds what is to be changed.
struct TransferObjective: Objective, Keeping {
  /// The picture that painting began from, `[1, 3, H, W]`.
  let source: Tensor
  /// Where it may change, 1 or 0, `[1, 1, H, W]`; nil for everywhere.
  let region: Tensor?
  /// Embeddings of both texts for each perceptor, `[1, E]`.
  let from: [Tensor]
  let to: [Tensor]
  /// How much the change counts.
  let scale: Double

  var kept: Kept? { region.map { Kept(picture: source, open: $0) } }

  func loss(_ observation: Observation) -> Tensor? {
    let losses = observation.views.indices.compactMap { index -> Tensor? in
      let views = observation.views[index]
      guard let embed = views.embeddingsOfOther, let read = views.viewsOfOther else { return nil }
      let before = noGrad { embed(source) }
      let outside = noGrad {
        region.map { 1 - read($0).mean(over: [1, 2, 3]) } ?? .zeros([before.size(0)])
      }.to(before.device)
      let kept = (sphericalDistance(views.embeddings, before) * outside).mean()
      let there = sphericalDistance(views.embeddings, to[index])
      return kept + (there - sphericalDistance(views.embeddings, from[index])).mean() * scale
    }
    return total(losses).map { $0 / Double(losses.count) }
  }
}

/// Where a perceptor finds what a text says: random squares of the picture are scored, and every pixel
/// gets the mean score of the squares that hold it.
struct RelevanceMap {
  let perceptor: Perceptor
  let samples: Int

  /// Squares scored at once.
  private static let batch = 64

  /// 1 where the score is above the mean, 0 elsewhere, `[1, 1, H, W]`.
  func callAsFunction(_ picture: Tensor, _ text: Tensor, seed: UInt64) -> Tensor {
    noGrad {
      let (height, width) = (picture.size(2), picture.size(3))
      let draws = RandomStream(seed: seed, "relevance").uniform([samples, 3]).floats()
      var sums = [Float](repeating: 0, count: height * width)
      var counts = sums
      for start in stride(from: 0, to: samples, by: Self.batch) {
        let squares = (start..<min(samples, start + Self.batch)).map { index in
          square(index, Array(draws[(3 * index)..<(3 * index + 3)]), height, width)
        }
        let views = squares.map { square in
          picture.narrowed(2, square.y, square.side).narrowed(3, square.x, square.side)
            .resampled(perceptor.size, perceptor.size, .bilinear, antialias: true)
        }
        let embeddings = perceptor.clip.embed(concatenated(views, over: 0)).to(.float32)
        let cosines = (embeddings.normalized() * text.to(.float32).normalized()).sum(over: [1])
        let scale = perceptor.clip.logit_scale.to(.float32).exp()
        let scores = (cosines * scale - scale * 0.3).exp().floats()
        for (square, score) in zip(squares, scores) {
          for y in square.y..<(square.y + square.side) {
            for x in square.x..<(square.x + square.side) {
              sums[y * width + x] += score
              counts[y * width + x] += 1
            }
          }
        }
      }
      let means = zip(sums, counts).map { $1 > 0 ? $0 / $1 : 0 }
      return Self.mask(means, height, width).to(picture.device)
    }
  }

  /// A square whose side goes from 0.4 to 0.1 of the picture as samples go on.
  private func square(_ index: Int, _ u: [Float], _ height: Int, _ width: Int) -> (
    x: Int, y: Int, side: Int
  ) {
    let share = 0.4 - 0.3 * Double(index) / Double(max(1, samples - 1))
    let least = max(0.1, share - 0.1)
    let side = max(
      1, Int((least + (share - least) * Double(u[0])) * Double(min(height, width))))
    return (Int(u[1] * Float(width - side + 1)), Int(u[2] * Float(height - side + 1)), side)
  }

  /// Scores from 0 to 1, squared, against the mean of those that are not zero.
  static func mask(_ scores: [Float], _ height: Int, _ width: Int) -> Tensor {
    let low = scores.min() ?? 0
    let range = max(1e-12, (scores.max() ?? 1) - low)
    let relative = scores.map { ($0 - low) / range * (($0 - low) / range) }
    let above = relative.filter { $0 > 0 }
    let mean = above.reduce(0, +) / Float(max(1, above.count))
    return Tensor(relative.map { $0 >= mean ? 1 : 0 } as [Float], [1, 1, height, width])
  }
}

extension ObjectiveKind {
  /// One thing made into another.
  static let transfer = ObjectiveKind(
    "transfer", "One thing in the picture to begin from made into another, all else kept",
    arguments: [
      .text("from", "What is there"), .text("to", "What is wanted in its place"),
      .number("scale", 0...100, default: 1.25, "How much the change counts"),
      .flag(
        "mask", default: true,
        "Whether only the place may change where it is found"),
      .integer("samples", 16...100_000, default: 1024, "Squares by which it is found"),
    ]
  ) { context in
    let painting = try context.ofPainting()
    let (networks, request) = (painting.networks, painting.request)
    guard let source = context.initial else {
      throw RequestError.badValue(field: "transfer", reason: "needs a picture: --init-image")
    }
    guard let from = context.text("from"), let to = context.text("to") else {
      throw RequestError.badValue(
        field: "transfer", reason: "needs both texts: transfer,from=a lion,to=a tiger")
    }
    let perceptors = try networks.perceptors(request)
    let before = perceptors.map { $0.embedding(of: from) }
    let region =
      !context.flag("mask")
      ? nil
      : RelevanceMap(perceptor: perceptors[0], samples: context.integer("samples"))(
        source, before[0], seed: context.seed)
    return TransferObjective(
      source: source, region: region, from: before, to: perceptors.map { $0.embedding(of: to) },
      scale: context.number("scale"))
  }
}

import Imaging
import Models
import Torch

/// The way of DALL·E mini (Dayma et al. 2021): a transformer writes pictures as VQGAN codes, CLIP
/// picks the best of several.
struct DALLE {
  let networks: Networks
  let easel: Easel
  var run: RunFolder?

  /// A candidate: the picture `[1, 3, H, W]` and its cosine similarity to the text.
  struct Candidate {
    let picture: Tensor
    let score: Double
  }

  /// Samples candidates in groups, a small one first so that there is something to see soon.
  ///
  /// Groups depend on nothing but the number of candidates before them, so that the first candidates
  /// are the same however many follow.
  /// - Parameter request: resolved.
  /// - Returns: candidates, best first; fewer than asked for when stopped, but at least one.
  func paint(_ request: Request) throws -> [Candidate] {
    let seed = UInt64(request.seed ?? 0)
    let text = try request.scenes()[0].first?.text ?? ""
    let dalle = try networks.dalle()
    let vqgan = try networks.vqgan()
    let judges = try networks.perceptors(request).map { ($0, $0.embedding(of: text)) }
    let config = dalle.config
    let tokens = try networks.tokenizer()(
      [text, ""], length: config.text_token_count, padding: config.pad_token
    ).to(networks.device)
    let sampling = DALLEBart.Sampling(
      conditionScale: request.conditionScale ?? 1, temperature: request.temperature ?? 1,
      topK: request.topK ?? 1)
    let side = Int(Double(config.image_token_count).squareRoot())
    let count = request.candidates ?? 1
    let total = count * config.image_token_count

    var kept = try run?.checkpoint(Kept.self)
    var drawn: [Tensor] = []
    var candidates: [Candidate] = []
    while candidates.count < count {
      let done = candidates.count
      let size = min(done == 0 ? 2 : 8, count - done)
      let stream = RandomStream(seed: seed, "candidates from \(done)")
      let codes: Tensor
      if let stored = try kept?.tensor("codes.\(drawn.count)") {
        codes = stored.to(networks.device)
      } else {
        kept = nil
        do {
          codes = try dalle.sample(
            tokens[0..<1], empty: tokens[1..<2], count: size, sampling, stream
          ) { position in
            if easel.isStopped { throw Stop() }
            let step = done * config.image_token_count + size * position
            easel.emit(.step(.init(step: step, total: total, unit: "token", loss: nil)))
          }
        } catch is Stop {
          break
        }
      }
      drawn.append(codes)
      let pictures = noGrad {
        let z = vqgan.lookUp(codes.reshaped(size, side, side, config.levels))
        return (vqgan.decode(z) + 1) / 2
      }
      let opinions = judges.map { $0.similarity(pictures, to: $1) * $0.weight }
      let agreed = opinions.dropFirst().reduce(opinions[0], +)
      let scores = agreed.floats().map(Double.init)
      for (index, score) in scores.enumerated() {
        candidates.append(Candidate(picture: pictures[index..<index + 1], score: score))
        guard easel.wantsPreview(candidates.count), kept == nil else { continue }
        easel.emit(
          .preview(
            .init(
              picture: try Picture(pictures[index]), step: candidates.count, score: score)))
      }
      if kept == nil { try save(drawn) }
    }
    guard !candidates.isEmpty else { throw PaintingError.stoppedEarly }
    return candidates.enumerated().sorted {
      ($1.element.score, $0.offset) < ($0.element.score, $1.offset)
    }.map(\.element)
  }

  /// What a checkpoint says beside the codes of each group.
  private struct Kept: Codable {
    let groups: Int
  }

  /// Keeps the codes of all groups so far: pictures and scores follow from them.
  private func save(_ drawn: [Tensor]) throws {
    let named = drawn.enumerated().map { ("codes.\($0)", $1) }
    try run?.save(Kept(groups: drawn.count), Dictionary(uniqueKeysWithValues: named))
  }

  private struct Stop: Error {}
}

/// What a method paints at: where it reports, and how it learns that it should stop.
struct Easel {
  /// Takes an event.
  let emit: (Event) -> Void
  /// Steps between previews; nil for none.
  let previewEvery: Int?

  /// Whether the task was cancelled.
  var isStopped: Bool { Task.isCancelled }

  func wantsPreview(_ step: Int) -> Bool {
    guard let previewEvery else { return false }
    return step % previewEvery == 0
  }
}

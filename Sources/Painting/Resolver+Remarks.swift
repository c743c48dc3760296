import Foundation
import Library
import Models
import Tokenizers

extension Resolver.Choice {
  /// Why `auto` took another method than the first one that it asks; nil where it took that.
  public var remark: Remark? {
    guard let objection = objections.first else { return nil }
    return Remark("method", "\(objection) So it is painted with \(method.id).")
  }
}

extension Resolver {
  /// What of a request is read otherwise than one may think, or has no effect: why `auto` took a method,
  /// numbers that are read as weights, emoji that are read by name, texts that are too long, parameters
  /// that do nothing.
  /// - Parameters:
  ///   - request: as it is painted; what is left to `auto` in it is looked at, too.
  ///   - asked: as it was before presets, which choose a method, where there are any.
  ///   - files: those that it names; what is not there is not looked at.
  /// - Throws: as `resolve`.
  public func remarks(
    on request: Request, asked: Request? = nil, _ files: Attachments = Attachments()
  ) throws -> [Remark] {
    let request = try request.checked(in: registry)
    let choice = try choice(for: request)
    let reason = asked.flatMap { try? self.choice(for: $0).remark } ?? choice.remark
    var remarks = [reason].compactMap(\.self) + Prompt.remarks(on: request.prompt)
    let texts = try request.scenes().joined().flatMap(\.target.texts)
    remarks += try readers(of: request, choice.method).flatMap { $0.remarks(on: texts) }
    remarks += [simpleReading(request, choice.method)].compactMap(\.self)
    remarks += try strangers(to: request, files)
    remarks += unknownWords(request, choice)
    let method = choice.method
    remarks += try method.remarks(request).filter { remark in
      // What stands there because it is usual is nobody's wish.
      try request[remark.field].map { try $0 != usual(remark.field, of: method, in: request) }
        ?? true
    }
    var told: Set<Remark> = []
    return remarks.filter { told.insert($0).inserted }
  }

  /// A network that reads the prompts.
  private struct Reader {
    let name: String
    let length: Int
    let longTexts: Request.LongTexts
    /// What it was taught; nil where that is not known.
    let book: PhraseBook?
    let tokenizer: () throws -> any Tokenizer

    func remarks(on texts: [String]) -> [Remark] {
      strange(texts) + unfit(texts)
    }

    /// Words that mean nothing to it.
    private func strange(_ texts: [String]) -> [Remark] {
      let words = book?.strangers(in: texts.joined(separator: "\n")) ?? []
      guard !words.isEmpty else { return [] }
      let told = words.prefix(6).map { "'\($0.prefix(40))'" }.joined(separator: ", ")
      let more = words.count > 6 ? " and \(words.count - 6) more" : ""
      return [
        Remark(
          "prompt",
          "Reverie's pack has never seen \(told)\(more): what it paints for "
            + (words.count == 1 ? "it is a guess." : "them is a guess."))
      ]
    }

    private func unfit(_ texts: [String]) -> [Remark] {
      // Vocabularies are large: they are read once, and not for what any of them can say.
      let doubtful = texts.filter {
        $0.utf8.count > length - 2 || $0.contains(where: EmojiNames.isEmoji)
      }
      guard !doubtful.isEmpty, let tokenizer = try? tokenizer() else { return [] }
      return doubtful.flatMap {
        TowerText($0, tokenizer, length: length)
          .remarks("prompt", reader: name, length: length, longTexts)
      }
    }
  }

  private func readers(of request: Request, _ method: Method) throws -> [Reader] {
    let own = { try pack.tokenizer() }
    let book = try? pack.phrases()
    let isDALLE = method.components.contains { $0.architecture == DALLEBart.architecture.id }
    if isDALLE, let model = request.model {
      guard let config = dalleConfig(of: model) else { return [] }
      return [
        Reader(name: model, length: config.text_token_count, longTexts: .cut, book: nil) {
          try DALLEText(of: model, config, in: library)
        }
      ]
    }
    if isDALLE {
      guard let length = pack.config(of: DALLEBart.self)?.text_token_count else { return [] }
      return [
        Reader(
          name: method.id.rawValue, length: length, longTexts: .cut, book: book, tokenizer: own)
      ]
    }
    return try perceptors(of: request).map { id, config in
      Reader(
        name: id == "pack" ? "the pack's CLIP" : id, length: config.text.contextLength,
        longTexts: request.longTexts ?? .average, book: id == "pack" ? book : nil
      ) { id == "pack" ? try own() : try library.tokenizer(of: id) }
    }
  }

  private func dalleConfig(of model: String) -> DALLEBart.Config? {
    try? library.component(DALLEBart.architecture, of: model).config as? DALLEBart.Config
  }

  /// That a transformer's texts are read in another way than its authors read them.
  private func simpleReading(_ request: Request, _ method: Method) -> Remark? {
    guard method.makesCandidates, let model = request.model, let config = dalleConfig(of: model),
      (try? DALLEText(of: model, config, in: library))?.isSimple == true
    else { return nil }
    return Remark(
      "model",
      "\(model) comes without a config.json: it reads texts in min-dalle's simple way, in small letters "
        + "of ASCII.")
  }

  /// The perceptors of a request that are there, and their sizes.
  private func perceptors(of request: Request) throws -> [(id: String, config: CLIP.Config)] {
    let choices =
      try request.clip.map { try Perceptor.Choice.parse($0) } ?? Perceptor.Choice.default
    return choices.compactMap { choice in
      let config =
        choice.id == "pack"
        ? pack.config(of: CLIP.self)
        : try? library.component(CLIP.architecture, of: choice.id).config as? CLIP.Config
      return config.map { (choice.id, $0) }
    }
  }

  /// The perceptors for which a file of embeddings has nothing.
  private func strangers(to request: Request, _ files: Attachments) throws -> [Remark] {
    let perceptors = try perceptors(of: request)
    return try request.scenes().joined().flatMap(\.target.embeddings).flatMap { file in
      guard let url = try? files.url(file), let found = try? EmbeddingFile(contentsOf: url) else {
        return [Remark]()
      }
      let strangers = perceptors.filter {
        found.rows(for: $0.id, $0.config) == nil
      }.map(\.id)
      guard !strangers.isEmpty, strangers.count < perceptors.count else { return [] }
      return [
        Remark(
          "prompts",
          "\(file.name) has embeddings for \(found.names), and none for "
            + strangers.joined(separator: ", ") + ", which it does not guide.")
      ]
    }
  }
}

extension Prompt.Target {
  /// All texts in it.
  fileprivate var texts: [String] {
    switch self {
    case .text(let text), .label(let text): [text]
    case .image, .embedding, .noise: []
    case .average(let targets): targets.flatMap(\.texts)
    }
  }

  /// All files of embeddings in it.
  fileprivate var embeddings: [FileReference] {
    switch self {
    case .embedding(let file): [file]
    case .text, .label, .image, .noise: []
    case .average(let targets): targets.flatMap(\.embeddings)
    }
  }
}

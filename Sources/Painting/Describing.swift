import Foundation
import Imaging
import Library
import Models
import Tokenizers
import Torch
import Weights

/// Phrases that a pack's networks know, `phrases.json` in a pack: what can be found in a picture, and the words
/// that they were taught.
public struct PhraseBook: Codable, Sendable, Equatable {
  /// Things with their articles: "a fox".
  public var things: [String]
  /// What stands behind a thing: "on the beach", "on a red background".
  public var places: [String]
  /// What stands before "of" and a thing: "a watercolour".
  public var styles: [String]

  /// All words of the captions that the networks were taught, in lower case; nil where nobody wrote them down.
  public var words: [String]?

  /// A book of these phrases.
  public init(
    things: [String], places: [String] = [], styles: [String] = [], words: [String]? = nil
  ) {
    (self.things, self.places, self.styles, self.words) = (things, places, styles, words)
  }

  /// The words of a text, in lower case and in order: letters, with apostrophes and hyphens between them.
  public static func words(of text: String) -> [String] {
    text.lowercased().matches(of: /\p{L}[\p{L}\p{M}]*(?:['’-]\p{L}[\p{L}\p{M}]*)*/)
      .map { String($0.output).replacing("’", with: "'") }
  }

  /// The words of a text that the networks have never met, each once; empty where that is not known.
  public func strangers(in text: String) -> [String] {
    guard let words else { return [] }
    let known = Set(words)
    var told: Set<String> = []
    return Self.words(of: text).filter { word in
      // A plural, or one of its parts, tells as much.
      let forms =
        [word, word + "s"]
        + ["s", "es", "'s"].filter(word.hasSuffix).map {
          String(word.dropLast($0.count))
        }
      let parts = word.split(separator: "-").map(String.init)
      return word.count > 1 && !forms.contains(where: known.contains)
        && !(parts.count > 1 && parts.allSatisfy(known.contains)) && told.insert(word).inserted
    }
  }
}

/// What CLIP finds in a picture.
public struct Description: Sendable, Equatable {
  /// A phrase and its cosine similarity to the picture.
  public struct Finding: Codable, Sendable, Equatable {
    /// The phrase.
    public let phrase: String
    /// -1 to 1.
    public let similarity: Double
  }

  /// The whole as a prompt: "a watercolour of a fox on the beach".
  public let caption: String
  /// The nearest things, nearest first.
  public let things: [Finding]
}

extension Pack {
  /// The pack's phrases.
  /// - Throws: `PaintingError.notInPack` where it has none.
  public func phrases() throws -> PhraseBook {
    guard manifest.files["phrases.json"] != nil else {
      throw PaintingError.notInPack(pack: manifest.id, what: "list of phrases")
    }
    let file = try checkedFile("phrases.json")
    guard let book = try? JSONDecoder().decode(PhraseBook.self, from: RegularFile.data(at: file)),
      !book.things.isEmpty
    else { throw PaintingError.badPackFile(path: file.path, reason: "holds no phrases") }
    return book
  }
}

extension Engine {
  /// Says what a picture shows, as CLIP interrogators do: the nearest thing, then the place that goes with
  /// it best, then the style, each only where it is nearer than nothing.
  /// - Parameters:
  ///   - book: what to choose among; the pack's phrases if left out.
  ///   - clip: an installed CLIP instead of the pack's.
  ///   - count: most things to tell.
  /// - Throws: `RequestError`, `PaintingError` and `StoreError`.
  public func describe(
    _ picture: Picture, from book: PhraseBook? = nil, clip: String? = nil, count: Int = 5
  ) throws -> Description {
    let book = try book ?? pack.phrases()
    guard !book.things.isEmpty else {
      throw RequestError.badValue(field: "phrases", reason: "has none")
    }
    var request = Request("x")
    request.clip = clip
    provider.begin()
    let perceptor = try networks(device.fastFloat).perceptors(request)[0]
    let seen = picture.tensor().to(device)

    func findings(_ phrases: [String]) -> [Description.Finding] {
      let similar = perceptor.similarity(seen, to: perceptor.embeddings(of: phrases)).floats()
      return zip(phrases, similar).map { .init(phrase: $0, similarity: Double($1)) }
        .sorted { $0.similarity > $1.similarity }
    }
    let things = findings(book.things)
    let thing = things[0].phrase
    let placed = findings([thing] + book.places.map { "\(thing) \($0)" })[0].phrase
    let caption = findings([placed] + book.styles.map { "\($0) of \(placed)" })[0].phrase
    return Description(caption: caption, things: Array(things.prefix(max(1, count))))
  }
}

extension Perceptor {
  /// Embeddings of texts, `[N, E]`; long lists are kept, since they are asked for again.
  func embeddings(of texts: [String]) -> Tensor {
    func embed() -> Tensor {
      let parts = stride(from: 0, to: texts.count, by: 128).map { start in
        let part = Array(texts[start..<min(start + 128, texts.count)])
        let tokens = tokenizer(part, length: clip.config.text.contextLength)
        return noGrad { clip.encodeText(tokens.to(clip.logit_scale.device)) }.to(.float32)
      }
      return concatenated(parts, over: 0)
    }
    guard texts.count > 128 else { return embed() }
    return remembered("texts", Checksum.sha256(of: texts.joined(separator: "\n")), embed)
      .to(clip.logit_scale.device)
  }
}

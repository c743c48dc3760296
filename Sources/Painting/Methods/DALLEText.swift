import Foundation
import Library
import Models
import Tokenizers

/// How an installed DALL·E mini reads texts: by the vocabulary that lies with it, and simplified as it was
/// trained.
struct DALLEText: Tokenizer {
  private let tokenizer: ByteBPETokenizer
  private let prepared: @Sendable (String) -> String
  /// Whether texts are read as min-dalle reads them, for there is nothing that says more.
  let isSimple: Bool

  var vocabularySize: Int { tokenizer.vocabularySize }
  var framing: Framing { tokenizer.framing }

  /// Of dalle-mini's `config.json`.
  private struct Settings: Decodable {
    var normalize_text: Bool?
  }

  /// - Throws: `StoreError` when the model has no vocabulary of the right size.
  init(of model: String, _ config: DALLEBart.Config, in library: ModelLibrary) throws {
    let installed = try library.store.model(model)
    func contents(_ name: String) -> Data? {
      installed.record.files[name] == nil ? nil : try? Data(contentsOf: installed.url(name))
    }
    let settings = contents("config.json").flatMap {
      try? JSONDecoder().decode(Settings.self, from: $0)
    }
    isSimple = settings == nil
    tokenizer = try library.byteTokenizer(
      of: model, isSimple ? .minDALLE : .bart, size: config.text_vocab_count)
    if settings?.normalize_text == true {
      let words = contents("enwiki-words-frequency.txt").map { file in
        String(decoding: file, as: UTF8.self).split(whereSeparator: \.isNewline).compactMap {
          $0.split(whereSeparator: \.isWhitespace).first.map(String.init)
        }
      }
      let normalizer = DALLETextNormalizer(words: words, emoji: Self.name)
      prepared = { normalizer($0) }
    } else if isSimple {
      prepared = { text in
        text.map { Self.name(of: $0)?.replacing(" ", with: "_") ?? String($0) }.joined()
      }
    } else {
      prepared = { $0 }
    }
  }

  /// The empty text is what the network was trained with instead of one.
  func encode(_ text: String) -> [Int] { text.isEmpty ? [] : tokenizer.encode(prepared(text)) }

  /// The name of an emoji as Python's `emoji` has it: of a flag that of its country.
  @Sendable private static func name(of character: Character) -> String? {
    if character.unicodeScalars.first == "\u{a9}" { return "copyright" }
    if character.unicodeScalars.first == "\u{ae}" { return "registered" }
    guard let name = EmojiNames.name(of: character) else { return nil }
    if character.unicodeScalars.contains("\u{20e3}") { return "keycap_" + name }
    return name.hasPrefix("flag of ") ? String(name.dropFirst(8)) : name
  }
}

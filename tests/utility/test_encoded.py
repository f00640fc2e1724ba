"""Encoded documents: made once a version, within a bound of number and bytes."""

from dersim.utility.encoded import EncodedDocument, EncodedDocuments


def test_a_document_is_encoded_once_as_long_as_its_version_stays():
    documents, made = EncodedDocuments(), []

    def encode():
        made.append(1)
        return b"<a/>"

    first = documents.get("/a", 1, encode)
    assert documents.get("/a", 1, encode) is first
    assert len(made) == 1
    assert documents.get("/a", 2, encode) is not first
    assert (len(made), documents.held_bytes) == (2, 4)


def test_the_oldest_go_beyond_the_bounds():
    documents = EncodedDocuments(most_documents=10, most_bytes=100)
    for number in range(30):
        documents.get(number, 0, lambda: b"x" * 5)
    assert documents.held_bytes == 50
    documents.get("large", 0, lambda: b"x" * 90)
    assert documents.held_bytes <= 100
    held = documents.get(29, 0, lambda: b"made again")
    assert held.body == b"x" * 5


def test_one_that_is_larger_than_the_bound_is_sent_and_not_kept():
    documents = EncodedDocuments(most_bytes=10)
    assert documents.get("/a", 0, lambda: b"x" * 11).body == b"x" * 11
    assert documents.held_bytes == 0


def test_the_tag_is_that_of_the_bytes():
    one, same, other = (EncodedDocument(0, body) for body in (b"a", b"a", b"b"))
    assert one.tag == same.tag != other.tag
